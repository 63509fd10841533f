package js

// MemoryBytes is the size of the worker's memory, which never falls.
func (w *Worker) MemoryBytes() uint64 { return uint64(len(w.instance.Memory())) }

// Allocations is how many pieces of memory the engine has allocated and not
// freed: about two for an object. It is 0 if the engine does not tell.
func (w *Worker) Allocations() uint32 {
	if w.engine.build.heap == 0 {
		return 0
	}
	number, err := w.word(w.engine.build.heap)
	if err != nil {
		return 0
	}
	return le.Uint32(number)
}
