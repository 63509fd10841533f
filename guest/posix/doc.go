// Package posix is the personality for programs that use WASI preview 1: all
// of its functions, over a POSIX file system in memory, a virtual clock and a
// seeded stream of random bytes. It is host layer version 1 of the determinism
// contract: nothing that a program sees depends on anything but its Config.
//
// Every rule is in docs/concepts/posix.md. The package opens no file and reads
// no clock: directories come in as trees (package disk has them for the host's
// directories, package tar for images), streams as readers and writers.
//
// # Running a program
//
//	system, err := posix.New(posix.Config{
//		Args: args, Env: env, Start: nanos, Clock: posix.Tick, Seed: seed,
//		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
//		Mounts: mounts,
//		Blob:   keep, // content that was read, for a bundle; may be nil
//	})
//	instance, err := program.Instantiate(limits, posix.Imports())
//	err = system.Run(instance)
//	outcome := instance.Outcome(err)
//
// If outcome.Class is turn.Worker, system.Err() is the failure of the host with
// its type (a closed pipe, a *ChangedError, a *NotObservedError).
//
// After the run, in this order: system.Changes() and system.WriteTar (what the
// program did to writable mounts), then system.Observations() (what it learnt
// of mounted trees), and system.Result() (digests of the streams).
//
// # What a receipt holds
//
// Inputs: Name and Version, the Config (arguments, environment, start, clock,
// seed, StdinLines), each mount's guest path, mode and digest (or that it is
// empty), the Observations, and Result.Stdin. Outputs: Result.Stdout,
// Result.Stderr and the Changes: path, kinds, digest or target. A tar image
// that is written back is the digest of the bytes of WriteTar.
//
// To run it again, each mount that has observations gets a Replay tree; input
// is the Result.Stdin.Bytes bytes that were read, no more.
package posix
