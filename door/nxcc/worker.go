package nxcc

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"carrel/egress"
	"carrel/guest/zencode/secret"
	"carrel/runner"
)

// Options are what an operator allows.
type Options struct {
	Timeout              time.Duration // of a script; 0 is none
	StdoutMax, StderrMax int           // bytes
	ScriptMax            int           // bytes
	ConfMax              int           // bytes
	AllowDebug           bool          // a conf may say how much is logged
	Secrets              secret.Limits // of all placeholders together
	Postback             bool          // postbacks are sent at all
	// Egress sends them, if Postback is set.
	Egress *egress.Client
	// Receipt, if set, makes a receipt of each invocation whose result can be verified.
	// What it answers goes along with its postbacks.
	Receipt func(*Worker, *runner.Turn) ([]byte, error)
	Now     func() time.Time
	Log     *slog.Logger
}

// QueueMax bounds the invocations of one worker that wait.
const QueueMax = 1024

// A Worker is a script with all that is known of it. Its invocations run one after the
// other, in the order in which they came.
type Worker struct {
	ID, WorkerID string // of this one, and of its code
	Log          *Log

	script   []byte
	userdata *Userdata
	secrets  map[string][]byte
	limits   Limits
	bytes    int // what it was started with
	options  *Options
	executor Executor

	waiting chan struct{} // has a place for each that waits or runs
	turn    chan struct{} // has a place for the one that runs
	gone    chan struct{} // closed when it is stopped
}

// Limits are those that a worker is started with. Zero is none.
type Limits struct {
	MemoryMB       uint64
	RuntimeSeconds uint64
}

// errBusy reports a worker with QueueMax invocations that wait.
var errBusy = fmt.Errorf("%d invocations of the worker wait already", QueueMax)

// enter waits until it is one's turn.
func (w *Worker) enter(ctx context.Context) (leave func(), err error) {
	select {
	case w.waiting <- struct{}{}:
	default:
		return nil, errBusy
	}
	select {
	case w.turn <- struct{}{}: // those who wait for a place in a channel get it in order
		select {
		default:
			return func() { <-w.turn; <-w.waiting }, nil
		case <-w.gone:
			<-w.turn
		}
		err = errStopped(w.ID)
	case <-w.gone:
		err = errStopped(w.ID)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	<-w.waiting
	return nil, err
}

// Event invokes the worker with the payload of an event. The error says that it could
// not be.
func (w *Worker) Event(ctx context.Context, payload []byte, handler string) (*Envelope, error) {
	received := w.options.Now()
	leave, err := w.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	cause, named, err := event(payload, handler)
	if err != nil {
		return newEnvelope().failed("invalid_event_payload", err.Error()), nil
	}
	if named != handler {
		w.options.Log.Warn("the payload names another handler", "worker", w.ID, "handler", handler, "payload", named)
	}
	e, _ := w.invoke(ctx, cause, received)
	w.note(e)
	w.tell(cause, e)
	return e, nil
}

// HTTP invokes the worker with a request. The error says that it could not be.
func (w *Worker) HTTP(ctx context.Context, request *Request) (*Answer, *Envelope, error) {
	received := w.options.Now()
	leave, err := w.enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	cause := request.cause()
	e, stdout := w.invoke(ctx, cause, received)
	w.tell(cause, e)
	return w.userdata.answer(e, stdout), e, nil
}

// tell tells the operator of an invocation.
func (w *Worker) tell(cause *Cause, e *Envelope) {
	code := ""
	if e.Error != nil {
		code = e.Error.Code
	}
	w.options.Log.Debug("worker invoked", "worker", w.ID, "type", cause.Kind, "handler", cause.Handler, "ok", e.OK, "error", code,
		"exit_code", e.Zenroom.ExitCode, "total_ms", e.Timing.Total, "postbacks", len(e.Postbacks))
}

// note writes of an invocation into the log.
func (w *Worker) note(e *Envelope) {
	say := func(format string, args ...any) { w.Log.add(w.options.Now(), fmt.Sprintf(format, args...)) }
	if e.Zenroom.Stdout != "" {
		say("stdout: %s", strings.TrimRight(e.Zenroom.Stdout, "\n"))
	}
	if e.Zenroom.Stderr != "" {
		say("stderr: %s", strings.TrimRight(e.Zenroom.Stderr, "\n"))
	}
	for _, p := range e.Postbacks {
		switch {
		case p.Status != nil:
			say("postback[%d]: %s status=%d duration_ms=%d", p.Target, p.Kind, *p.Status, p.Duration)
		case p.Error != nil:
			say("postback[%d]: %s failed (%s)", p.Target, p.Kind, p.Error.Message)
		default:
			say("postback[%d]: %s failed (unknown error)", p.Target, p.Kind)
		}
	}
}

// job is an invocation as an executor takes it, but for its conf.
func (w *Worker) job(cause *Cause, received time.Time) *Job {
	u, limits := w.userdata, w.limits
	job := &Job{
		Lua: u.Lua, Script: w.script, Keys: u.Keys, Extra: u.Extra, Context: u.Context,
		Data:    u.merged(cause.metadata(w.WorkerID, w.ID, received)),
		Secrets: w.secrets, SecretLimits: w.options.Secrets,
		MemoryBytes: min(limits.MemoryMB, 1<<30) << 20, Timeout: w.options.Timeout, Now: received,
		StdoutMax: w.options.StdoutMax, StderrMax: w.options.StderrMax,
	}
	const secondsMax = 1 << 30
	if own := time.Duration(min(limits.RuntimeSeconds, secondsMax)) * time.Second; own > 0 && (own < job.Timeout || job.Timeout == 0) {
		job.Timeout = own
	}
	return job
}

// expect has an executor told of invocations that will come.
func (w *Worker) expect() {
	job := w.job(&Cause{Kind: "event"}, w.options.Now())
	var err error
	if job.Conf, err = w.userdata.conf(w.options.AllowDebug, w.options.ConfMax); err == nil {
		w.executor.Expect(job)
	}
}

// invoke runs the script and sends the postbacks.
func (w *Worker) invoke(ctx context.Context, cause *Cause, received time.Time) (e *Envelope, stdout []byte) {
	e = newEnvelope()
	job := w.job(cause, received)
	var err error
	if job.Conf, err = w.userdata.conf(w.options.AllowDebug, w.options.ConfMax); err != nil {
		if keys, bad := secret.Inject(job.Keys, job.Secrets, job.SecretLimits); bad != nil {
			return e.failed(codeSecrets, bad.Error()), nil
		} else {
			keys.Wipe()
		}
		return e.failed("invalid_conf", err.Error()), nil
	}
	started := time.Now()
	x := w.executor.Execute(ctx, job)
	e.Timing.Total = time.Since(started).Milliseconds()
	if w.userdata.Placeholders && !w.options.AllowDebug {
		x.Stderr = w.discreet(x.Stderr)
	}
	e.Zenroom = Zenroom{ExitCode: x.Code, Stdout: lossy(x.Stdout), Stderr: lossy(x.Stderr), StdoutOverflowed: x.StdoutOver, StderrOverflowed: x.StderrOver}
	if !w.userdata.Raw {
		if value, err := decode(x.Stdout); err == nil {
			e.Zenroom.StdoutJSON, e.parsed = value, true
		}
	}
	receipt := w.receipt(x)
	if problem := x.exited(); problem != nil {
		return e.failed(problem.Code, problem.Message), x.Stdout
	}
	e.OK = true
	if w.userdata.selects(e) {
		w.postbacks(ctx, e, x, receipt)
	}
	return e, x.Stdout
}

// heap is where Zenroom logs, of a script that failed, all that was in its memory and
// what it did, in base64.
var heap = regexp.MustCompile(`(J64 (?:HEAP|TRACE): )[A-Za-z0-9+/=]*`)

// discreet is a log without the secrets that were put into the keys.
func (w *Worker) discreet(log []byte) []byte {
	log = heap.ReplaceAll(log, []byte("${1}withheld, there are secrets in the keys"))
	keys, err := secret.Inject(w.userdata.Keys, w.secrets, w.options.Secrets)
	if err != nil {
		return log // then nothing was put in
	}
	defer keys.Wipe()
	var forms [][]byte
	for _, value := range keys.Values() {
		forms = append(forms, secret.Forms(value)...)
	}
	return secret.Redact(log, forms, "[secret]")
}

// receipt is one of what was executed, nil if there is none.
func (w *Worker) receipt(x *Execution) []byte {
	if w.options.Receipt == nil || x.Turn == nil {
		return nil
	}
	made, err := w.options.Receipt(w, x.Turn)
	if err != nil {
		w.options.Log.Error("there is no receipt of an invocation", "worker", w.ID, "error", err)
	}
	return made
}

// selects chooses the selected output. It is false if the invocation ends here.
func (u *Userdata) selects(e *Envelope) bool {
	if u.Pointer == nil {
		return true
	}
	if !e.parsed {
		if u.Postback.Required {
			e.failed("stdout_json_missing", "stdout JSON missing for selected_output")
		}
		return e.OK
	}
	value, ok := resolve(e.Zenroom.StdoutJSON, *u.Pointer)
	if !ok && u.Postback.Required {
		e.failed("json_pointer_not_found", "json_pointer did not resolve")
	}
	e.SelectedOutput, e.selected = value, ok
	return e.OK
}

// stop ends the worker: no invocation begins any more, and when the one that runs has
// ended its secrets are forgotten.
func (w *Worker) stop() {
	close(w.gone)
	w.turn <- struct{}{} // for good
	w.Log.end()
	wipe(w.secrets)
}
