package js

// Limits of host layer version 1.
const (
	// BytesMax bounds what is moved between a worker and its host at once: a
	// message, a source, a reply, what is printed.
	BytesMax = 1 << 30
	// SeedBytesMax bounds Config.Seed.
	SeedBytesMax = 64
	// ComputeMax is the largest meter limit: numbers of JavaScript are exact up
	// to there.
	ComputeMax = 1 << 53
	// MeterUnitMax bounds Config.MeterUnit, so that fuel never overflows.
	MeterUnitMax = 1 << 9
	// RejectionsMax is how many promises that were rejected and not handled yet a
	// turn keeps to tell of; of others it is only known how many they were.
	RejectionsMax = 256
	// BundlesMax is how many bundles an image is made with at most.
	BundlesMax = 8

	// FuelDefault and MemoryPagesDefault are the limits where a Config has none:
	// some seconds, and 256 MiB.
	FuelDefault        = 10_000_000_000
	MemoryPagesDefault = 4096

	// bootFuel is the limit for the engine and the shim to begin; they need a
	// thousandth of it.
	bootFuel = 10_000_000_000
)
