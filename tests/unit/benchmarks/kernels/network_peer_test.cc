// The network peer believes nothing, and the network kernels notice what goes wrong at the other
// side.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "benchmarks/kernels/support/datagrams.h"
#include "benchmarks/kernels/support/peer_server.h"

namespace hvbench::agent::kernels {
namespace {

using asio::ip::tcp;
using asio::ip::udp;

const tcp::endpoint kAnyPort(asio::ip::address_v4::loopback(), 0);

TEST(StreamMessage, IsKnownByItsNumberAndItsBytes) {
  StreamMessage message(100, 7);
  message.Number(3);
  EXPECT_TRUE(message.IsNumber(3));
  EXPECT_FALSE(message.IsNumber(4));
  EXPECT_FALSE(message.IsNumber(0));
  for (const std::size_t at : {0u, 7u, 92u, 99u}) {
    message.bytes()[at] ^= std::byte{1};
    EXPECT_FALSE(message.IsNumber(3)) << "byte " << at;
    message.bytes()[at] ^= std::byte{1};
  }
  // Each check looks at one other place of the rest, so a wrong byte is found sooner or later.
  message.bytes()[50] ^= std::byte{1};
  int found = 0;
  for (std::uint64_t number = 0; number < 200; ++number) {
    message.Number(number);
    found += message.IsNumber(number) ? 0 : 1;
  }
  EXPECT_GT(found, 0);
}

TEST(StreamMessage, MayBeOneByteLong) {
  StreamMessage message(1, 7);
  message.Number(3);
  EXPECT_NO_THROW(static_cast<void>(message.IsNumber(3)));
}

// What a connection gets from a server whose threads it cannot use up.
TEST(PeerServer, OutlivesWhateverComes) {
  PeerServer server(kAnyPort, 1);
  asio::io_context context;
  PeerHello wrong_magic;
  wrong_magic.magic = 1;
  PeerHello no_operation;
  no_operation.operation = static_cast<PeerOperation>(99);
  PeerHello too_large;
  too_large.message_bytes = 0xFFFFFFFF;
  PeerHello empty;
  empty.answer_bytes = 0;
  PeerHello datagram_too_large;
  datagram_too_large.operation = PeerOperation::kDatagramsIn;
  datagram_too_large.message_bytes = kMaxPeerMessageBytes;
  for (const PeerHello& hello : {wrong_magic, no_operation, too_large, empty, datagram_too_large}) {
    TcpConnection connection(context, server.address(), hello);
    if (hello.operation == PeerOperation::kDatagramsIn) connection.SendCount(1);
    std::byte byte{};
    EXPECT_THROW(connection.Receive(std::span(&byte, 1)), KernelFailed);
  }
  for (const std::size_t size : {0u, 5u}) {
    tcp::socket socket(context);
    socket.connect(server.address());
    if (size > 0) socket.send(asio::buffer("12345", size));
  }
  PeerHello good;
  good.operation = PeerOperation::kClose;
  good.answer_bytes = 8;
  TcpConnection connection(context, server.address(), good);
  std::array<std::byte, 8> answer{};
  connection.Receive(answer);
  EXPECT_TRUE(HasMark(answer, good.seed));
  EXPECT_TRUE(connection.AwaitEnd());
}

// A peer that does what the test says with its first connection, once the hello has come.
class ScriptedPeer {
 public:
  explicit ScriptedPeer(std::function<void(TcpConnection&)> script)
      : acceptor_(context_, kAnyPort), thread_([this, script = std::move(script)] {
          tcp::socket socket(context_);
          acceptor_.accept(socket);
          TcpConnection connection(std::move(socket));
          PeerHello hello;
          connection.Receive(std::as_writable_bytes(std::span(&hello, 1)));
          script(connection);
        }) {}
  ~ScriptedPeer() { thread_.join(); }

  std::string address() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

std::unique_ptr<Kernel> Prepared(const std::string& name, protocol::Params params,
                                 const std::string& peer) {
  for (const KernelSpec& spec : AllKernels()) {
    if (spec.name != name) continue;
    auto kernel = spec.make();
    kernel->Prepare(
        Context(std::move(params), "", 1, {.volume_dir = {}, .block_device = {}, .peer = peer}));
    return kernel;
  }
  throw std::logic_error("no kernel " + name);
}

const protocol::Params kOneStream = {{"direction", "up"}, {"streams", "1"}, {"message_kib", "1"}};
const protocol::Params kOneByte = {{"request_bytes", "1"}, {"response_bytes", "1"}};

TEST(NetworkKernels, APeerThatDiesIsAFailure) {
  ScriptedPeer peer([](TcpConnection&) {});
  const auto kernel = Prepared("network/tcp_stream", kOneStream, peer.address());
  EXPECT_THROW(kernel->Run(10'000), KernelFailed);
}

TEST(NetworkKernels, APeerThatIsNotThereIsAFailure) {
  asio::io_context context;
  const std::string address =
      "127.0.0.1:" + std::to_string(tcp::acceptor(context, kAnyPort).local_endpoint().port());
  EXPECT_THROW(Prepared("network/tcp_stream", kOneStream, address), KernelFailed);
}

TEST(NetworkKernels, MessagesThatThePeerDidNotGetAreMissed) {
  ScriptedPeer peer([](TcpConnection& connection) {
    std::array<std::byte, 1024> message{};
    const std::uint64_t count = connection.ReceiveCount();
    for (std::uint64_t i = 0; i < count; ++i) connection.Receive(message);
    connection.SendCount(count - 1);
  });
  const auto kernel = Prepared("network/tcp_stream", kOneStream, peer.address());
  kernel->Run(5);
  EXPECT_THROW(kernel->Verify(), WrongResult);
}

TEST(NetworkKernels, AWrongAnswerIsFound) {
  ScriptedPeer peer([](TcpConnection& connection) {
    std::byte byte{};
    connection.Receive(std::span(&byte, 1));
    connection.Send(std::span(&byte, 1));  // back as it came
  });
  const auto kernel = Prepared("network/tcp_rr", kOneByte, peer.address());
  kernel->Run(1);
  EXPECT_THROW(kernel->Verify(), WrongResult);
}

TEST(NetworkKernels, AMalformedAddressIsABadParameter) {
  for (const char* address : {"198.18.0.1", "x:1", "198.18.0.1:70000"}) {
    EXPECT_THROW(Prepared("network/tcp_rr", kOneByte, address), std::invalid_argument) << address;
  }
}

// The two ends of datagrams over loopback.
class DatagramsTest : public testing::Test {
 protected:
  // `buffer_bytes`: of the receiver; 0: the system's default.
  void Connect(std::uint64_t interval_ns, int buffer_bytes = 0) {
    PeerHello hello;
    hello.message_bytes = 256;
    hello.interval_ns = interval_ns;
    tcp::acceptor acceptor(context_, kAnyPort);
    sender_control_.emplace(context_, acceptor.local_endpoint(), hello);
    receiver_control_.emplace(acceptor.accept());
    PeerHello received;
    receiver_control_->Receive(std::as_writable_bytes(std::span(&received, 1)));
    const udp::endpoint any(asio::ip::address_v4::loopback(), 0);
    udp::socket sending(context_, any);
    udp::socket receiving(context_, any);
    if (buffer_bytes > 0) receiving.set_option(udp::socket::receive_buffer_size(buffer_bytes));
    sending.connect(receiving.local_endpoint());
    receiving.connect(sending.local_endpoint());
    sender_.emplace(std::move(sending), *sender_control_, hello);
    receiver_.emplace(std::move(receiving), *receiver_control_, hello);
  }

  // Returns how many were sent until `count` arrived at a receiver that begins late.
  std::uint64_t Transfer(std::uint64_t count, std::chrono::milliseconds late) {
    std::thread receiver([&] {
      std::this_thread::sleep_for(late);
      receiver_->ReceiveBurst(count);
    });
    const std::uint64_t sent = sender_->SendBurst(count);
    receiver.join();
    EXPECT_GE(sent, count);
    return sent;
  }

  asio::io_context context_;
  std::optional<TcpConnection> sender_control_;
  std::optional<TcpConnection> receiver_control_;
  std::optional<Datagrams> sender_;
  std::optional<Datagrams> receiver_;
};

constexpr std::uint64_t kManyDatagrams = 20'000;  // far more than a socket's buffer holds
constexpr std::chrono::milliseconds kLate{100};

TEST_F(DatagramsTest, AreSentAtTheirRateUntilEnoughHaveArrived) {
  Connect(/*interval_ns=*/10'000);
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t sent = Transfer(kManyDatagrams, kLate);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GT(sent, kManyDatagrams) << "no buffer holds what came too early";
  EXPECT_GE(took, (sent - 1) * std::chrono::microseconds(10));
  // What is still in the buffers of the first burst is not taken for the second's.
  EXPECT_GE(Transfer(3, std::chrono::milliseconds(0)), 3u);
}

TEST_F(DatagramsTest, WithoutARateNoneAreLostWhereTheReceiverIsLate) {
  Connect(/*interval_ns=*/0);
  EXPECT_EQ(Transfer(kManyDatagrams, kLate), kManyDatagrams);
  EXPECT_EQ(Transfer(3, std::chrono::milliseconds(0)), 3u);
}

TEST_F(DatagramsTest, WithoutARateASenderGoesOnWhereMostOfAWindowAreLost) {
  Connect(/*interval_ns=*/0, /*buffer_bytes=*/1);  // the least there is: a few datagrams
  EXPECT_GT(Transfer(200, kLate), 200u);
}

}  // namespace
}  // namespace hvbench::agent::kernels
