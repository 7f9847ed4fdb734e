"""The other side of the interop tests, in Python: peer.py DEED MEMORY SEMAPHORE. Standard library only."""

import ctypes
import sys
from multiprocessing import resource_tracker, shared_memory

deed, memory_name, semaphore_name = sys.argv[1:]
memory_name = memory_name.removeprefix("/")  # Python puts one before it

libc = ctypes.CDLL(None, use_errno=True)
libc.sem_open.restype = ctypes.c_void_p
libc.sem_wait.argtypes = libc.sem_post.argtypes = [ctypes.c_void_p]


def untracked(memory):
    # Python would remove the object at its end, whoever else has it (3.13 has track=False).
    resource_tracker.unregister(memory._name, "shared_memory")
    return memory


def semaphore():
    opened = libc.sem_open(semaphore_name.encode(), 0)
    if not opened:
        sys.exit(f"sem_open: errno {ctypes.get_errno()}")
    return opened


def answer():
    """Adds one to every byte that is there, each time it gets a permit, and says so."""
    memory = untracked(shared_memory.SharedMemory(memory_name))
    gate = semaphore()
    print("ready", memory.name, memory.size, flush=True)
    assert libc.sem_wait(gate) == 0
    for i, byte in enumerate(bytes(memory.buf)):
        memory.buf[i] = (byte + 1) % 256
    memory.close()
    print("answered", flush=True)


def create():
    """Makes the object, and waits until it is told that it may go."""
    memory = untracked(shared_memory.SharedMemory(memory_name, create=True, size=5000))
    memory.buf[4999] = 77
    print("created", flush=True)
    sys.stdin.readline()
    print("saw", memory.buf[0], flush=True)
    memory.close()


def post():
    sys.stdin.readline()
    assert libc.sem_post(semaphore()) == 0


def count():
    """Adds one to a counter under the semaphore, ten thousand times."""
    memory = untracked(shared_memory.SharedMemory(memory_name))
    gate = semaphore()
    print("ready", flush=True)
    counter = memory.buf.cast("I")
    for _ in range(10_000):
        assert libc.sem_wait(gate) == 0
        counter[0] += 1
        assert libc.sem_post(gate) == 0
    counter.release()
    memory.close()


{"answer": answer, "create": create, "post": post, "count": count}[deed]()
