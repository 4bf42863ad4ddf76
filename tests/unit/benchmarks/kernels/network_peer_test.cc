// The network peer believes nothing, and the network kernels notice what goes wrong at the other
// side.
#include <gtest/gtest.h>

#include <array>
#include <functional>
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

TEST(Datagrams, AreSentUntilEnoughHaveArrived) {
  constexpr std::uint64_t kCount = 20'000;  // far more than a socket's buffer holds
  asio::io_context context;
  tcp::acceptor acceptor(context, kAnyPort);
  PeerHello hello;
  hello.message_bytes = 256;
  TcpConnection sender_control(context, acceptor.local_endpoint(), hello);
  TcpConnection receiver_control(acceptor.accept());
  PeerHello received_hello;
  receiver_control.Receive(std::as_writable_bytes(std::span(&received_hello, 1)));

  const udp::endpoint any(asio::ip::address_v4::loopback(), 0);
  udp::socket sending(context, any);
  udp::socket receiving(context, any);
  sending.connect(receiving.local_endpoint());
  receiving.connect(sending.local_endpoint());
  Datagrams sender(std::move(sending), sender_control, hello);
  Datagrams receiver(std::move(receiving), receiver_control, hello);

  std::thread late([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    receiver.ReceiveBurst(kCount);
  });
  EXPECT_GT(sender.SendBurst(kCount), kCount);
  late.join();

  // What is still in the buffers of the first burst is not taken for the second's.
  std::thread next([&] { receiver.ReceiveBurst(3); });
  EXPECT_GE(sender.SendBurst(3), 3u);
  next.join();
}

}  // namespace
}  // namespace hvbench::agent::kernels
