// How a guest is connected to the suite's own network, which fixtures/netlab makes.
#pragma once

#include <filesystem>
#include <string>

namespace hvbench {

// What a launcher can connect to its guest's network namespace, or to its machine.
enum class NetworkDevice {
  kNone,  // this runtime cannot be given a network of ours
  kVeth,
  kTap,
};

// A guest's place in the suite's own network (fixtures/netlab): its device, made and not used yet.
struct GuestNetwork {
  NetworkDevice device = NetworkDevice::kVeth;
  // For setns(2). kVeth: the guest's own, with the device up and its address set. kTap: the one in
  // which the VMM opens the tap.
  std::filesystem::path network_namespace;
  std::string interface;  // the device's name in that namespace
  std::string port;       // of the bridge, for NetLab alone
  std::string mac;        // of the guest's end: "02:68:76:00:00:02"
  std::string address;    // of the guest: "198.18.0.2"
  int prefix_bits = 0;    // of the network that it is in
  int mtu = 0;
  std::string peer;  // where the network peer listens: "198.18.0.1:4000"
};

}  // namespace hvbench
