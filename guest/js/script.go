package js

import "fmt"

// Run runs source, UTF-8, as a script: what it declares, let and const as well, is
// there for those that follow. Then it goes on as Evaluate does. There is no
// result. File is what stacks call it.
func (w *Worker) Run(source, file string) (Reply, error) {
	if len(source) > BytesMax || len(file) > BytesMax {
		return Reply{}, fmt.Errorf("run script: %w", ErrTooLarge)
	}
	return w.turn(func() error { return w.script(source, file) })
}

func (w *Worker) script(source, file string) error {
	code, err := put(w, source)
	if err != nil {
		return err
	}
	name, err := put(w, file)
	if err != nil {
		return err
	}
	result, err := w.boxed("qjs_eval", uint64(code), uint64(len(source)), uint64(name), 0)
	if err != nil {
		return err
	}
	failed, err := w.call("qjs_is_exception", uint64(result))
	if err != nil {
		return err
	}
	if failed != 0 {
		if result, err = w.boxed("qjs_get_exception"); err != nil {
			return err
		}
		text, err := w.text(result)
		if err != nil {
			return err
		}
		w.raised = &Exception{Text: text}
	}
	for _, at := range []uint32{code, name} {
		if _, err := w.call("wasm_free", uint64(at)); err != nil {
			return err
		}
	}
	if err := w.free(result); err != nil {
		return err
	}
	return w.exhausted()
}
