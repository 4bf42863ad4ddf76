"""Speaks the exec bridge's protocol (fixtures/protocol/PROTOCOL.md) to a load generator of ours."""

import struct
import subprocess
import zlib

HELLO, PREPARE, PREPARED, RUN, RAN, VERIFY, FAILED = 0, 6, 7, 8, 9, 10, 16


def text(value):
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def take_text(payload):
    (length,) = struct.unpack_from("<I", payload)
    return payload[4:4 + length].decode(), payload[4 + length:]


class LoadClient:
    """hvbench-load, started with the words before it, such as those that enter a namespace."""

    def __init__(self, program, prefix=()):
        self.process = subprocess.Popen([*prefix, program, "--stdio", "--scratch=/tmp"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.call(HELLO, text("peers") + struct.pack("<Q", 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def call(self, kind, payload=b""):
        head = struct.pack("<4sHBBII", b"HVB1", 1, kind, 0, 1, len(payload))
        crc = zlib.crc32(head + payload)
        self.process.stdin.write(head + struct.pack("<I", crc) + payload)
        self.process.stdin.flush()
        head = self.process.stdout.read(20)
        _, _, reply, _, _, length, _ = struct.unpack("<4sHBBIII", head)
        payload = self.process.stdout.read(length)
        if reply == FAILED:
            raise RuntimeError(take_text(payload[5:])[0])
        return payload

    def prepare(self, kernel, parameters, seconds, seed):
        """Returns how many iterations take about that time."""
        pairs = struct.pack("<I", len(parameters)) + b"".join(
            text(key) + text(str(value)) for key, value in parameters.items())
        reply = self.call(PREPARE, text(kernel) + pairs +
                          struct.pack("<QQQ", int(seconds * 1e9), 0, seed))
        return struct.unpack_from("<Q", reply)[0]

    def run(self, iterations):
        """Returns the elapsed and the CPU time in seconds, and the counters; the result is verified."""
        payload = self.call(RUN, struct.pack("<Q", iterations))
        elapsed, cpu, _, _, count = struct.unpack_from("<QQQQI", payload)
        payload, counters = payload[36:], {}
        for _ in range(count):
            name, payload = take_text(payload)
            (counters[name],) = struct.unpack_from("<d", payload)
            payload = payload[8:]
        self.call(VERIFY)
        return elapsed / 1e9, cpu / 1e9, counters
