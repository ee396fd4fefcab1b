"""Signatures over a finished audit, and what they prove.

::

    DIR/attestations/0123456789abcdef.dsse.json     one envelope a key, named by the key's fingerprint

Each is a DSSE envelope with one signature over one in-toto Statement v1: its subjects are the path and
SHA-256 of every file that lay in the bundle at the signing (records, plan, findings, manifest, reviews,
reports; not the sidecar, which is made again from them, nor other signatures), its predicate says what the
audit is, who signs and when. One envelope a signer keeps each readable by any DSSE tool and lets people sign
one after another; whoever signs again with the same key replaces the envelope of that key.

The fingerprint of a key is the SHA-256 of its public half in DER form
(``openssl pkey -pubin -in KEY.pub -outform DER | sha256sum``). The public key stands in the signed
predicate, so that a signature can be checked with nothing but the bundle. That tells of alteration, not of
persons: whose key it is, somebody has to say (``evenhand verify --public-key``). Name, role and time are as
the signer stated them; the time is that of the signer's own clock.

What all this detects is accidental or later alteration of what was signed. It does not stop a dishonest
operator from choosing probes, seeds or runs before signing, and cannot tell that a whole envelope was taken
away. The chain of records alone proves nothing against someone who rewrites all of it: a signature, or a copy
of the chain's head kept elsewhere, does.
"""

from audit.attestation.signatures import Signature, signatures_of

__all__ = ["Signature", "signatures_of"]
