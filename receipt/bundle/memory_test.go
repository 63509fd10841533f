package bundle

import (
	"runtime"
	"testing"
)

// allocated is how many bytes the process has ever allocated.
func allocated(t *testing.T) uint64 {
	t.Helper()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}
