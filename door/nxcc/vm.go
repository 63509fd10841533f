// Package nxcc is nXCC's Zenroom VM: it runs workers, which are scripts of Zencode or
// Lua, when an enclave tells it to, with secrets that never sit in the data, and
// postbacks that the operator allowed as the only way out. What it takes and answers
// is nXCC's, to the letter of its texts.
package nxcc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	// WorkersMax bounds the workers that run, and WorkersBytesMax what they hold
	// together: scripts, userdata, secrets.
	WorkersMax      = 10_000
	WorkersBytesMax = 1 << 30
	// IDBytesMax bounds the id of a worker's code.
	IDBytesMax = 1 << 10
	// stoppedKept is how long the log of a worker that was stopped can be read.
	stoppedKept = 5 * time.Minute
)

// A VM holds workers. It is safe for concurrent use.
type VM struct {
	options  Options
	executor Executor

	mu      sync.Mutex
	workers map[string]*Worker // by their ids, those that run
	started []*Worker          // the same, the newest last
	bytes   int                // that they hold
	stopped []stopped          // the newest last
	ending  sync.WaitGroup     // of those that were stopped
	drained bool               // no more may be started
}

// A stopped worker has its log, and nothing that it ran.
type stopped struct {
	worker *Worker
	at     time.Time
}

// NewVM makes a VM without workers.
func NewVM(executor Executor, options Options) *VM {
	return &VM{options: options, executor: executor, workers: map[string]*Worker{}}
}

// A Start is what a worker is started with.
type Start struct {
	WorkerID string // of its code
	Script   []byte
	Userdata string            // JSON, may be empty
	Secrets  map[string][]byte // which the VM owns
	Limits   Limits
}

// Start starts a worker: nothing of it runs before it is invoked. The errors have
// nXCC's texts.
func (v *VM) Start(s *Start) (_ *Worker, err error) {
	defer func() {
		if err != nil {
			wipe(s.Secrets)
		}
	}()
	o := &v.options
	if len(s.Script) > o.ScriptMax {
		return nil, fmt.Errorf("Script size %d exceeds max %d", len(s.Script), o.ScriptMax)
	}
	if bad := notUTF8(s.Script); bad != "" {
		return nil, fmt.Errorf("Worker code must be UTF-8: %s", bad)
	}
	userdata, err := parseUserdata(s.Userdata)
	if err != nil {
		return nil, err
	}
	total, names := 0, 0
	for name, content := range s.Secrets {
		total += len(content)
		names += len(name)
	}
	if total > o.Secrets.TotalBytes {
		return nil, fmt.Errorf("Total secrets size %d exceeds max %d", total, o.Secrets.TotalBytes)
	}
	if len(s.WorkerID) > IDBytesMax {
		return nil, fmt.Errorf("worker_id has %d bytes, at most %d", len(s.WorkerID), IDBytesMax)
	}
	w := &Worker{
		WorkerID: s.WorkerID, Log: newLog(), script: s.Script, userdata: userdata, secrets: s.Secrets, limits: s.Limits,
		bytes:   len(s.Script) + len(s.Userdata) + len(s.WorkerID) + total + names,
		options: o, executor: v.executor, waiting: make(chan struct{}, QueueMax), turn: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	if err := v.add(w); err != nil {
		return nil, err
	}
	for _, name := range userdata.Misplaced {
		o.Log.Warn("$secret stands in inputs."+name+", where it is no placeholder: secrets go into inputs.keys", "worker", w.ID)
	}
	o.Log.Info("worker started", "worker", w.ID, "worker_id", w.WorkerID, "lua", userdata.Lua, "script_bytes", len(s.Script), "secrets", len(s.Secrets))
	w.expect()
	return w, nil
}

// wipe forgets secrets.
func wipe(secrets map[string][]byte) {
	for _, content := range secrets {
		clear(content)
	}
}

// notUTF8 says where a text is no UTF-8, as Rust does; nothing if it is.
func notUTF8(text []byte) string {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r != utf8.RuneError || size > 1 {
			at += size
			continue
		}
		// How much of it could have begun a character: what lossy makes one U+FFFD of.
		part := text[at:min(len(text), at+utf8.UTFMax)]
		n := 1
		for n < len(part) && strings.HasPrefix(lossy(part[:n+1]), "\uFFFD") && utf8.RuneCountInString(lossy(part[:n+1])) == 1 {
			n++
		}
		if at+n == len(text) && !utf8.FullRune(text[at:]) {
			return fmt.Sprintf("incomplete utf-8 byte sequence from index %d", at)
		}
		return fmt.Sprintf("invalid utf-8 sequence of %d bytes from index %d", n, at)
	}
	return ""
}

// add gives a worker its id: that of its code if no other that runs has it, so that who
// knows only that finds it.
func (v *VM) add(w *Worker) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.drained {
		return errDrained
	}
	if len(v.workers) >= WorkersMax {
		return fmt.Errorf("%d workers run already", WorkersMax)
	}
	w.ID = w.WorkerID
	if _, taken := v.workers[w.ID]; taken || w.ID == "" {
		w.ID = uuid.NewString()
	}
	if v.bytes+w.bytes > WorkersBytesMax {
		return fmt.Errorf("workers hold %d bytes already, and may hold %d", v.bytes, WorkersBytesMax)
	}
	v.bytes += w.bytes
	v.workers[w.ID] = w
	v.started = append(v.started, w)
	return nil
}

var errDrained = errors.New("the VM ends: no worker is started any more")

// errNotFound reports an id that is of no worker.
type errNotFound string

func (e errNotFound) Error() string { return "Worker not found: " + string(e) }

// errStopped reports a worker that was stopped.
type errStopped string

func (e errStopped) Error() string { return "Worker is not running: " + string(e) }

// Worker finds a worker that runs by its id.
func (v *VM) Worker(id string) (*Worker, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w, ok := v.workers[id]; ok {
		return w, nil
	}
	if v.stoppedWorker(id) != nil {
		return nil, errStopped(id)
	}
	return nil, errNotFound(id)
}

// Known finds a worker by its id, or by that of its code, the newest first: one that
// runs, or one that was stopped not long ago.
func (v *VM) Known(id string) (w *Worker, running bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w, ok := v.workers[id]; ok {
		return w, true, nil
	}
	for _, w := range slices.Backward(v.started) {
		if w.WorkerID == id {
			return w, true, nil
		}
	}
	if w := v.stoppedWorker(id); w != nil {
		return w, false, nil
	}
	return nil, false, errNotFound(id)
}

func (v *VM) stoppedWorker(id string) *Worker {
	v.prune()
	for _, s := range slices.Backward(v.stopped) {
		if s.worker.ID == id || s.worker.WorkerID == id {
			return s.worker
		}
	}
	return nil
}

// prune forgets those that were stopped long ago.
func (v *VM) prune() {
	now := v.options.Now()
	v.stopped = slices.DeleteFunc(v.stopped, func(s stopped) bool { return now.Sub(s.at) > stoppedKept })
}

// stoppedMax bounds the workers that were stopped and are still known.
const stoppedMax = 1000

// Stop stops a worker: an invocation that runs goes on to its end.
func (v *VM) Stop(id string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	w, ok := v.workers[id]
	if !ok {
		return errNotFound(id)
	}
	v.remove(w)
	return nil
}

func (v *VM) remove(w *Worker) {
	delete(v.workers, w.ID)
	v.started = slices.DeleteFunc(v.started, func(other *Worker) bool { return other == w })
	v.bytes -= w.bytes
	v.prune()
	v.stopped = append(v.stopped, stopped{&Worker{ID: w.ID, WorkerID: w.WorkerID, Log: w.Log}, v.options.Now()})
	if len(v.stopped) > stoppedMax {
		v.stopped = slices.Delete(v.stopped, 0, 1)
	}
	v.options.Log.Info("worker stopped", "worker", w.ID)
	v.ending.Go(w.stop)
}

// Running are the ids of the workers that run, the oldest first.
func (v *VM) Running() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	ids := []string{}
	for _, w := range v.started {
		ids = append(ids, w.ID)
	}
	return ids
}

// Drain stops all workers, and has no more be started. Their logs end when the
// invocations that run have ended.
func (v *VM) Drain() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.drained = true
	for len(v.started) > 0 {
		v.remove(v.started[0])
	}
}

// Close stops all workers, waits for the invocations that run, and closes the
// executor.
func (v *VM) Close() error {
	v.Drain()
	v.ending.Wait()
	return v.executor.Close()
}
