"""Small request bodies whose decoded form would be large: false headers, compressed silence, extreme rates."""

import gzip
import struct

# Largest numbers that a FLAC frame can have: samples of a block, sample rate in Hz, channels.
FLAC_BLOCK = 65535
FLAC_RATE = 655350
FLAC_CHANNELS = 8


def crc_table(polynomial, bits):
    """Remainders of all bytes for a CRC whose register is `bits` wide."""
    table, top, mask = [], 1 << (bits - 1), (1 << bits) - 1
    for byte in range(256):
        register = byte << (bits - 8)
        for _ in range(8):
            register = ((register << 1) ^ (polynomial if register & top else 0)) & mask
        table.append(register)
    return table


CRC_8, CRC_16 = crc_table(0x07, 8), crc_table(0x8005, 16)


def crc_8(data):
    register = 0
    for byte in data:
        register = CRC_8[register ^ byte]
    return register


def crc_16(data):
    register = 0
    for byte in data:
        register = ((register << 8) & 0xFFFF) ^ CRC_16[(register >> 8) ^ byte]
    return register


def flac(seconds, rate, channels):
    """A FLAC file (RFC 9639) of constant blocks of two values: some 30 bytes for 65,535 samples of each channel."""
    blocks = max(1, round(seconds * rate / FLAC_BLOCK))
    info = struct.pack(">HH3s3s", FLAC_BLOCK, FLAC_BLOCK, bytes(3), bytes(3))
    info += (rate << 44 | (channels - 1) << 41 | 15 << 36 | blocks * FLAC_BLOCK).to_bytes(8, "big") + bytes(
        16
    )
    head = b"fLaC" + bytes([0x80]) + len(info).to_bytes(3, "big") + info
    return head + b"".join(flac_frame(number, channels) for number in range(blocks))


def flac_frame(number, channels):
    """Frame with a constant subframe for each channel; block size and sample rate are those of the stream's information."""
    head = (
        b"\xff\xf8" + bytes([0x70, (channels - 1) << 4 | 0x08]) + chr(number).encode("utf-8", "surrogatepass")
    )
    head += struct.pack(">H", FLAC_BLOCK - 1)
    head += bytes([crc_8(head)])
    body = head + (b"\x00" + struct.pack(">h", 1000 if number % 2 else -1000)) * channels
    return body + struct.pack(">H", crc_16(body))


def wave(rate, n_bytes, declared=None, channels=1):
    """A 16-bit WAV file of `n_bytes` of samples whose header declares another number of bytes."""
    declared = n_bytes if declared is None else declared
    samples = (b"\x10\x27" * 100 + b"\xf0\xd8" * 100) * (n_bytes // 400 + 1)
    block = 2 * channels
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block & 0xFFFFFFFF, block, 16)
    head = (
        b"RIFF"
        + struct.pack("<I", min(declared + 36, 0xFFFFFFFF))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
    )
    return head + b"data" + struct.pack("<I", declared) + samples[:n_bytes]


def bombs():
    """Each with its name, its body, and the headers of the request."""
    return [
        ("flac: 600 s of 8 channels at 655,350 Hz", flac(600, FLAC_RATE, FLAC_CHANNELS), {}),
        ("flac: 50 hours at 44,100 Hz", flac(180_000, 44_100, 2), {}),
        ("flac: 1 Hz", flac(3_000_000, 1, 1), {}),
        ("wav: 2^32 samples are declared", wave(22_050, 100_000, declared=0xFFFFFFFF), {}),
        ("wav: 1 Hz", wave(1, 1 << 20), {}),
        ("wav: 4 GHz", wave(0xFFFFFFFF, 1 << 20), {}),
        ("wav: 65,535 channels", wave(44_100, 1 << 20, channels=65_535 // 2), {}),
        ("gzip: 64 MiB of zeros", gzip.compress(bytes(64 << 20), 9), {"Content-Encoding": "gzip"}),
    ]
