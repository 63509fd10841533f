// Package seal names bytes and signs them: SHA-256 digests, Ed25519 keys, DSSE
// envelopes, the registry of what keys sign for, and canonical JSON.
//
// There are only a few types in it: a Digest names bytes, a PrivateKey signs
// them for a Context, an Envelope carries them with their signatures, and a
// Check says what those are worth to somebody who trusts certain keys. All of
// it is pure: files are the business of package keys.
package seal
