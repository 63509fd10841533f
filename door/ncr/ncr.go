// Package ncr serves a directory of scripts over HTTP, as the No-Code Room of
// Zenroom's authors does: sub/hello.zen is the endpoint /sub/hello, whose data is the
// body of a POST or the query of a GET, and whose answer is what the script prints.
// Beside a script may stand, under its name:
//
//	hello.keys.json      its keys, which never leave the server
//	hello.data.json      an example of its data
//	hello.schema.json    what data must be
//	hello.metadata.json  how it is served
//	hello.conf           its configuration of Zenroom
//
// The directory is read anew for each request.
package ncr

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"carrel/guest/zencode"
	"carrel/turn"
)

// An Executor runs scripts. zencode.Engine and pool.Pool do.
type Executor interface {
	Run(ctx context.Context, input *zencode.Input) (*zencode.Result, error)
}

// Options say what is served, and with what. Folder, Executor and Limits are needed.
type Options struct {
	Folder   fs.FS // should not lead outside: os.Root's does not
	Executor Executor
	Limits   turn.Limits       // of one run
	Conf     string            // of scripts without a conf of their own
	Keys     []byte            // of scripts without keys of their own
	Secrets  map[string][]byte // what {"$secret": "NAME"} in keys stands for
	Now      func() time.Time  // nil is time.Now
	Seed     func() []byte     // draws the seed of a run; nil has the host's chance

	Timeout   time.Duration // of a request once it is read, waiting included; 0 is timeoutDefault
	BodyBytes int64         // 0 is bodyBytesDefault; at most zencode.TextBytesMax
	Running   int           // scripts at once; 0 is one for each processor
	Waiting   int           // requests that wait for one to end; 0 is waitingDefault, negative none

	Origins []string // whose pages may call, "*" is all; none if empty
	Hosts   []string // the names that requests may be for; any if empty
	Log     *slog.Logger
}

const (
	timeoutDefault   = 30 * time.Second
	bodyBytesDefault = 1 << 20
	waitingDefault   = 256
	seedBytes        = 32
	// outputBytesMax and logBytesMax are what a script may print and log.
	outputBytesMax = 4 << 20
	logBytesMax    = 1 << 20
)

// A Handler serves. It is safe for concurrent use.
type Handler struct {
	Options
	room    room
	schemas sync.Map   // name to *schema
	listing sync.Mutex // held while files of all scripts are read
}

// New makes a Handler.
func New(options Options) (*Handler, error) {
	o := &options
	if o.Folder == nil || o.Executor == nil || o.Limits.Fuel == 0 || o.Limits.MemoryPages == 0 {
		return nil, errors.New("a folder, an executor and limits are needed")
	}
	if o.BodyBytes < 0 || o.BodyBytes > zencode.TextBytesMax {
		return nil, fmt.Errorf("a body of %d bytes: at most %d", o.BodyBytes, zencode.TextBytesMax)
	}
	o.Timeout = cmp.Or(o.Timeout, timeoutDefault)
	o.BodyBytes = cmp.Or(o.BodyBytes, bodyBytesDefault)
	o.Running = cmp.Or(o.Running, runtime.GOMAXPROCS(0))
	o.Waiting = max(0, cmp.Or(o.Waiting, waitingDefault))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Seed == nil {
		o.Seed = Chance
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Handler{Options: options, room: newRoom(o.Running, o.Waiting)}, nil
}

// Chance draws a seed from the host's chance.
func Chance() []byte {
	seed := make([]byte, seedBytes)
	_, _ = rand.Read(seed) // which never fails
	return seed
}

// Expect names each kind of input that the scripts of now will have, once, so that
// runs can be prepared.
func (h *Handler) Expect(expect func(*zencode.Input)) error {
	list, err := h.list()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, entry := range list.entries {
		e, err := h.find(entry.Name)
		if err != nil {
			continue // who asks for it is told
		}
		defer e.forget()
		input := h.input(e, noData)
		if kind := fmt.Sprint(input.Lua, len(input.Keys) > 0, input.Conf); !seen[kind] {
			seen[kind] = true
			expect(input)
		}
	}
	return nil
}

// Paths that are not of scripts.
const (
	pathIndex   = "/"
	pathDocs    = "/docs"
	pathOpenAPI = "/openapi.json"
	pathOAS     = "/oas.json" // the same
	pathHealth  = "/health"
	pathStyle   = "/docs/page.css"
	pathScript  = "/docs/page.js"
	pathIcon    = "/docs/page.svg"
	suffixRaw   = "/raw"
	suffixApp   = "/app"
)

// ServeHTTP is of http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{h: h, w: w, r: r, began: h.Now()}
	x.serve()
	x.log()
}

// An exchange is a request and its answer.
type exchange struct {
	h     *Handler
	w     http.ResponseWriter
	r     *http.Request
	began time.Time

	status  int
	bytes   int
	outcome *turn.Outcome // of the script, if one ran
	problem string        // for the log
}

func (x *exchange) serve() {
	header := x.w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if !x.h.hosts(x.r.Host) {
		x.fail(&problem{status: http.StatusMisdirectedRequest, Text: fmt.Sprintf("this server is not %q", x.r.Host)})
		return
	}
	x.allowOrigin()
	if serve := x.page(x.r.URL.Path); serve != nil {
		if x.methods(http.MethodGet) {
			serve()
		}
		return
	}
	e, view, err := x.h.route(x.r.URL.Path)
	if err != nil {
		x.failed(err)
		return
	}
	if view != "" {
		e.forget()
	}
	switch view {
	case suffixRaw:
		if x.methods(http.MethodGet) {
			x.answer(http.StatusOK, typeText, e.script)
		}
	case suffixApp:
		if x.methods(http.MethodGet) {
			x.docs(e.name)
		}
	default:
		x.endpoint(e)
	}
}

// page is what serves a path that is not of a script.
func (x *exchange) page(path string) func() {
	switch path {
	case pathIndex:
		return x.index
	case pathDocs:
		return func() { x.docs("") }
	case pathOpenAPI, pathOAS:
		return x.openAPI
	case pathHealth:
		return func() { x.answer(http.StatusOK, typeJSON, []byte(`{"status":"ok"}`+"\n")) }
	case pathStyle:
		return func() { x.answer(http.StatusOK, "text/css; charset=utf-8", style) }
	case pathIcon:
		return func() { x.answer(http.StatusOK, "image/svg+xml", icon) }
	case pathScript:
		return func() { x.answer(http.StatusOK, "text/javascript; charset=utf-8", script) }
	}
	return nil
}

// route finds the script that a path is of, and which view of it.
func (h *Handler) route(path string) (e *endpoint, view string, err error) {
	name := strings.TrimPrefix(path, "/")
	e, err = h.find(name)
	if !errors.Is(err, errAbsent) {
		return e, "", err
	}
	for _, view := range []string{suffixRaw, suffixApp} {
		if of, ok := strings.CutSuffix(name, view); ok {
			e, err := h.find(of)
			return e, view, err
		}
	}
	return nil, "", err
}

// methods reports whether the request's method is one of those, and answers if not.
// HEAD goes with GET.
func (x *exchange) methods(allowed ...string) bool {
	var all []string
	for _, method := range allowed {
		all = append(all, method)
		if method == http.MethodGet {
			all = append(all, http.MethodHead)
		}
	}
	for _, method := range all {
		if x.r.Method == method {
			return true
		}
	}
	all = append(all, http.MethodOptions)
	x.w.Header().Set("Allow", strings.Join(all, ", "))
	if x.r.Method == http.MethodOptions {
		if x.w.Header().Get("Access-Control-Allow-Origin") != "" {
			x.w.Header().Set("Access-Control-Allow-Methods", strings.Join(all, ", "))
			x.w.Header().Set("Access-Control-Allow-Headers", "content-type, authorization")
		}
		x.answer(http.StatusNoContent, "", nil)
		return false
	}
	x.fail(&problem{status: http.StatusMethodNotAllowed, Text: fmt.Sprintf("%s is not allowed here: %s", x.r.Method, strings.Join(all, ", "))})
	return false
}

// allowOrigin lets pages of other origins have the answer, where they may.
func (x *exchange) allowOrigin() {
	if len(x.h.Origins) == 0 {
		return
	}
	x.w.Header().Add("Vary", "Origin")
	origin := x.r.Header.Get("Origin")
	for _, allowed := range x.h.Origins {
		if allowed == "*" || allowed == origin && origin != "" {
			x.w.Header().Set("Access-Control-Allow-Origin", allowed)
			return
		}
	}
}

// hosts reports whether a request may be for a host: a page that has its name point
// here would otherwise read what only this host's pages may.
func (h *Handler) hosts(host string) bool {
	if len(h.Hosts) == 0 {
		return true
	}
	name := host
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		name = host[:colon]
	}
	for _, allowed := range h.Hosts {
		if strings.EqualFold(allowed, name) {
			return true
		}
	}
	return false
}

// Types of answers.
const (
	typeJSON = "application/json"
	typeText = "text/plain; charset=utf-8"
	typeHTML = "text/html; charset=utf-8"
	// typeRun is an answer that tells all of a run, for who asks for it by Accept.
	typeRun = "application/vnd.carrel.run+json"
)

// answer answers.
func (x *exchange) answer(status int, mime string, body []byte) {
	header := x.w.Header()
	if mime != "" {
		header.Set("Content-Type", mime)
	}
	if status != http.StatusNoContent {
		header.Set("Content-Length", fmt.Sprint(len(body)))
	}
	x.status, x.bytes = status, len(body)
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // who asked has gone
	}
}

// log writes a line. What was sent and what keys are is not in it.
func (x *exchange) log() {
	attrs := []slog.Attr{
		slog.String("method", x.r.Method), slog.String("path", x.r.URL.Path), slog.Int("status", x.status),
		slog.Duration("took", x.h.Now().Sub(x.began)), slog.Int("bytes", x.bytes),
	}
	if x.outcome != nil {
		attrs = append(attrs, slog.Uint64("fuel", x.outcome.Fuel))
		if x.outcome.Class != turn.Exit {
			attrs = append(attrs, slog.String("class", x.outcome.Class.String()))
		}
	}
	level := slog.LevelInfo
	if x.problem != "" {
		attrs = append(attrs, slog.String("problem", x.problem))
		if x.status >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
	}
	x.h.Log.LogAttrs(x.r.Context(), level, "request", attrs...)
}
