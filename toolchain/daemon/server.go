package daemon

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"carrel/toolchain"
	"carrel/tree"
)

// A Server runs tools for clients.
type Server struct {
	// Run is toolchain.Toolchain.Run.
	Run func(ctx context.Context, c *toolchain.Command) (code int, err error)
	// Jobs is how many commands run at once; others wait. One that waits for its
	// client, on a terminal or a pipe, leaves its place to another meanwhile.
	Jobs int
	// Idle is how long the server stays without a command.
	Idle time.Duration
}

// requestWait is how long a client may take to say what it wants.
const requestWait = 10 * time.Second

// patience is how long a command waits for its client in its place.
const patience = 100 * time.Millisecond

// Serve serves clients until it has been idle, or the context is done, which stops
// the commands that are under way too. It closes the listener, and returns when the
// last command has ended.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	defer listener.Close()
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	idle := time.AfterFunc(s.Idle, func() { listener.Close() }) // who has come by then is served
	defer idle.Stop()
	var (
		mu    sync.Mutex
		open  int
		all   sync.WaitGroup
		slots = make(chan struct{}, s.Jobs)
	)
	// count tells of clients that come and go: the clock only runs without any.
	count := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		if open += by; open == 0 {
			idle.Reset(s.Idle)
		} else {
			idle.Stop()
		}
	}
	defer all.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		count(1)
		all.Go(func() {
			defer count(-1)
			defer conn.Close()
			s.handle(ctx, conn, slots)
		})
	}
}

// handle runs the command of one connection.
func (s *Server) handle(ctx context.Context, conn net.Conn, slots chan struct{}) {
	from := gob.NewDecoder(conn)
	var r request
	_ = conn.SetReadDeadline(time.Now().Add(requestWait))
	if err := from.Decode(&r); err != nil {
		return // not a client of ours
	}
	_ = conn.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := &client{to: gob.NewEncoder(conn), answers: make(chan answer), slots: slots}
	go client.listen(ctx, from, cancel)
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return
	}
	end := s.command(ctx, client, &r)
	if ctx.Err() != nil && (end.Err != "" || end.Fault != nil) {
		return // it was stopped: that is not what the command comes to
	}
	_ = client.to.Encode(end) // a client that has gone has its answer
}

func (s *Server) command(ctx context.Context, client *client, r *request) *ask {
	client.ctx = ctx
	c := &toolchain.Command{
		Tool: r.Tool, Args: r.Args, Dir: r.Dir, Root: client, Limits: r.Limits,
		Stdin: stdin{client}, Stdout: output{client, opStdout}, Stderr: output{client, opStderr},
		Apply: func(changes []tree.Change, programs []string) error {
			_, err := client.ask(&ask{Op: opApply, Changes: changes, Programs: programs})
			return err
		},
	}
	if r.Record {
		c.Record = &toolchain.Record{Keep: func(digest string, content []byte) error {
			_, err := client.ask(&ask{Op: opKeep, Name: digest, Data: content})
			return err
		}}
	}
	end := &ask{Op: opEnd}
	code, err := s.run(ctx, c)
	end.Code = code
	if fault := (*toolchain.FaultError)(nil); errors.As(err, &fault) {
		end.Fault = &fault.Outcome
	} else if err != nil {
		end.Err = err.Error()
	}
	if c.Record != nil {
		end.Steps = c.Record.Steps
	}
	return end
}

// run is Run, of which a bug ends one command and not the others.
func (s *Server) run(ctx context.Context, c *toolchain.Command) (code int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("internal error, which is a bug of carrel: %v\n%s", p, debug.Stack())
		}
	}()
	return s.Run(ctx, c)
}

// A client is the other end, as the command sees it: a tree.Tree, streams.
type client struct {
	ctx     context.Context
	to      *gob.Encoder
	answers chan answer
	slots   chan struct{} // of which the command has one
}

var errGone = errors.New("who sent the command has gone")

// listen hands on answers, and cancels the command when there are no more.
func (c *client) listen(ctx context.Context, from *gob.Decoder, cancel context.CancelFunc) {
	defer cancel()
	for {
		var a answer
		if err := from.Decode(&a); err != nil {
			return
		}
		select {
		case c.answers <- a:
		case <-ctx.Done():
			return
		}
	}
}

// ask asks the client, and leaves the command's place to another while that takes
// long: two that wait for each other must not keep it.
func (c *client) ask(q *ask) (answer, error) {
	left := make(chan struct{})
	leave := time.AfterFunc(patience, func() { <-c.slots; close(left) })
	a, err := c.exchange(q)
	if !leave.Stop() {
		<-left
		c.slots <- struct{}{}
	}
	return a, err
}

func (c *client) exchange(q *ask) (answer, error) {
	if err := c.to.Encode(q); err != nil {
		return answer{}, errGone
	}
	select {
	case a := <-c.answers:
		return a, a.err()
	case <-c.ctx.Done():
		return answer{}, errGone
	}
}

func (c *client) Stat(name string) (tree.Kind, int64, error) {
	a, err := c.ask(&ask{Op: opStat, Name: name})
	return a.Kind, a.Size, err
}

func (c *client) List(name string, limit int) ([]tree.Entry, error) {
	a, err := c.ask(&ask{Op: opList, Name: name, N: int64(limit)})
	return a.Entries, err
}

func (c *client) Link(name string) (string, error) {
	a, err := c.ask(&ask{Op: opLink, Name: name})
	return a.Target, err
}

func (c *client) Read(name string, size int64) ([]byte, error) {
	a, err := c.ask(&ask{Op: opRead, Name: name, N: size})
	return a.Data, err
}

type stdin struct{ *client }

func (s stdin) Read(p []byte) (int, error) {
	a, err := s.ask(&ask{Op: opStdin, N: int64(len(p))})
	return copy(p, a.Data), err
}

type output struct {
	*client
	op op
}

func (o output) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if _, err := o.ask(&ask{Op: o.op, Data: p}); err != nil {
		return 0, err
	}
	return len(p), nil
}

var (
	_ tree.Tree = (*client)(nil)
	_ io.Reader = stdin{}
	_ io.Writer = output{}
)
