"""Floor 2: a value's fingerprint, so that it can be compared without being kept.

BLAKE2b is keyed with a random salt that each record brings along: two records do
not show that they are about the same key, and a fingerprint tells nothing about
a key of IBM's length. The C module is taken directly, as the standard library's
own ``random`` does with its hash: ``hashlib`` would load OpenSSL, which costs a
hit more than all the rest of its work.
"""

try:
    from _blake2 import blake2b
except ImportError:  # an interpreter built without its own hashes
    from hashlib import blake2b


def fingerprint(salt: str, *values: str) -> str:
    """The fingerprint of one or more values.

    Args:
        salt: at most 64 ASCII characters, random, kept beside the fingerprint.
        values: what to compare later; each is framed by its length, so that
            moving a character from one to the next changes the result.

    Returns:
        64 hexadecimal digits.
    """
    digest = blake2b(key=salt.encode("ascii"), digest_size=32)
    for value in values:
        data = value.encode("utf-8", "surrogateescape")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()
