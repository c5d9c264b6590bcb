"""One digest of a file: ALGORITHM FILE"""
import hashlib
import sys

digest = hashlib.new(sys.argv[1])
buffer = bytearray(1 << 20)
with open(sys.argv[2], "rb", buffering=0) as file:
    while length := file.readinto(buffer):
        digest.update(memoryview(buffer)[:length])
digest.digest()
