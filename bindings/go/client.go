// Package hongyan sends messages through many chat services and tells the truth about each of them.
//
// It speaks to the C library libhongyan, which does the work on threads of its own. A send waits in Go, not in
// a thread: one goroutine takes the results of all of them.
//
//	client, err := hongyan.OpenJSON(config)
//	result, err := client.Send(ctx, hongyan.Message{Account: "ops", To: hongyan.To{Chat: "4711"}, Text: "hello"})
//
// An error of Send is an *Error. Where the message was accepted it is that of the result, and
// Result.Delivery says whether the message arrived all the same, or may have.
package hongyan

/*
#cgo LDFLAGS: -lhongyan
#cgo noescape hy_submit_to
#include "bridge.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Client is many accounts over one runtime. Any goroutine may use it. Close ends it; of one that is collected
// without, what is under way goes on, and then it is closed.
type Client struct {
	core *core

	mu   sync.Mutex
	mail *mailbox // made with the first Send
	own  *Queue
}

// core is a client of the library, which is freed when the last who use it have left.
type core struct {
	client *C.hy_client_t
	users  atomic.Int64
	over   sync.Once
	keeps  bool // it has an outbox: results are acknowledged
}

// enter keeps the client alive until leave; false: it is freed already.
func (c *core) enter() bool {
	for {
		n := c.users.Load()
		if n == 0 {
			return false
		}
		if c.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (c *core) leave() {
	if c.users.Add(-1) == 0 {
		C.hy_free(c.client)
	}
}

// end is the leave of the Client itself.
func (c *core) end() { c.over.Do(c.leave) }

// abandon ends a client that nobody holds any more. That must not lose messages, since Go may collect it long
// before the function that made it returns.
func (c *core) abandon() {
	if !c.enter() {
		return
	}
	defer c.leave()
	_ = taken(C.hy_close(c.client, -1, nil))
	c.end()
}

// Open makes a client. It opens no connection yet.
func Open(config Config) (*Client, error) {
	text, err := config.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return OpenJSON(text)
}

// OpenJSON makes a client of a configuration in JSON.
func OpenJSON[Text ~string | ~[]byte](config Text) (*Client, error) {
	text := string(config)
	at, size := pointer(text)
	var client *C.hy_client_t
	if err := taken(C.hy_init(at, size, &client)); err != nil {
		return nil, err
	}
	var has struct {
		Outbox *json.RawMessage `json:"outbox"`
	}
	// The library has read it, so that it can be read.
	_ = json.Unmarshal([]byte(text), &has)
	inner := &core{client: client, keeps: has.Outbox != nil}
	inner.users.Store(1)
	c := &Client{core: inner}
	runtime.AddCleanup(c, func(inner *core) { go inner.abandon() }, inner)
	return c, nil
}

// call runs a call of the library on this client.
func (c *Client) call(f func(client *C.hy_client_t) *C.hy_error_t) error {
	defer runtime.KeepAlive(c)
	if !c.core.enter() {
		return closed()
	}
	defer c.core.leave()
	return taken(f(c.core.client))
}

// Send sends a message and waits for its result. The error is nil if it was sent, else an *Error, and the
// result says what became of the message: of one that was not accepted, that it was not sent.
//
// The context's deadline bounds the send, retries included. Where the context is cancelled, the send is, and
// Send returns as soon as the truth is known: a request that was under way may have arrived. errors.Is finds
// the context's error in such an error.
//
// It is never kept by an outbox; see Queue.
func (c *Client) Send(ctx context.Context, message Message) (Result, error) {
	text, err := message.MarshalJSON()
	if err != nil {
		return Result{}, err
	}
	return c.SendJSON(ctx, text)
}

// SendJSON sends a message that is JSON already.
func (c *Client) SendJSON(ctx context.Context, message []byte) (Result, error) {
	defer runtime.KeepAlive(c)
	if isCancelled(ctx) {
		return Result{}, &Error{Code: ErrCancelled, Message: "the context was cancelled before", cause: ctx.Err()}
	}
	mail, err := c.mailbox()
	if err != nil {
		return Result{}, err
	}
	options := notDurable
	deadline, bounded := ctx.Deadline()
	if bounded {
		options = within(time.Until(deadline), true)
	}
	place := mail.expect()
	op, err := mail.submit(message, options, place.token, ctx.Done() != nil)
	if err != nil {
		mail.forget(place)
		return Result{}, err
	}
	if op != nil {
		defer C.hy_op_free(op)
		select {
		case <-place.arrived:
		case <-ctx.Done():
			// The library ends a send whose time is over by itself.
			if !bounded || isCancelled(ctx) {
				C.hy_op_cancel(op)
			}
			<-place.arrived
		}
	} else {
		<-place.arrived
	}
	result := mail.empty(place)
	switch failed := result.Err; {
	case failed == nil:
		return result, nil
	case failed.Code == ErrArgument:
		// It is no message at all.
		return Result{}, failed
	default:
		failed.endedBy(ctx)
		return result, failed
	}
}

// isCancelled tells whether a context has ended otherwise than by its deadline.
func isCancelled(ctx context.Context) bool {
	err := ctx.Err()
	return err != nil && !errors.Is(err, context.DeadlineExceeded)
}

const notDurable = `{"durable":false}`

// within is the options of a submit that may take so long.
func within(most time.Duration, fleeting bool) string {
	options := append(make([]byte, 0, 48), `{"timeout_ms":`...)
	options = strconv.AppendInt(options, milliseconds(most), 10)
	if fleeting {
		options = append(options, `,"durable":false`...)
	}
	return string(append(options, '}'))
}

// milliseconds rounds up, so that nothing ends before its time.
func milliseconds(d time.Duration) int64 {
	return int64((max(d, 0) + time.Millisecond - 1) / time.Millisecond)
}

// submit gives a message to the library; its result comes out of the queue, or of the client's own for nil.
func (c *core) submit(queue *C.hy_queue_t, message []byte, options string, token uint64, cancels bool) (*C.hy_op_t, error) {
	if !c.enter() {
		return nil, closed()
	}
	defer c.leave()
	var op *C.hy_op_t
	var out **C.hy_op_t
	if cancels {
		out = &op
	}
	at, size := pointer(options)
	text := (*C.char)(unsafe.Pointer(unsafe.SliceData(message)))
	err := taken(C.hy_submit_to(c.client, queue, text, C.size_t(len(message)), at, size, C.uint64_t(token), out))
	return op, err
}

// Close accepts nothing more, waits until what is under way has ended, or until the context has, and cancels
// the rest. It tells how many it cancelled, with the context's error where there were any. Every message that
// was accepted has its result then; those of a queue can still be taken.
func (c *Client) Close(ctx context.Context) (cancelled int, err error) {
	defer runtime.KeepAlive(c)
	if !c.core.enter() {
		return 0, nil
	}
	defer c.core.leave()
	shut := func(timeout C.int64_t) (n int, err error) {
		var unfinished C.uint64_t
		err = taken(C.hy_close(c.core.client, timeout, &unfinished))
		return int(unfinished), err
	}
	if ctx.Done() == nil {
		cancelled, err = shut(-1)
	} else {
		patient := make(chan int, 1)
		go func() {
			n, _ := shut(-1)
			patient <- n
		}()
		select {
		case cancelled = <-patient:
		case <-ctx.Done():
			cancelled, err = shut(0)
			cancelled += <-patient
		}
	}
	c.mu.Lock()
	mail := c.mail
	c.mu.Unlock()
	if mail != nil {
		<-mail.over
	}
	c.core.end()
	if err == nil && cancelled > 0 {
		err = ctx.Err()
	}
	return cancelled, err
}

// SetAccount adds an account, or replaces the one of that name; it holds for attempts begun later.
func (c *Client) SetAccount(name string, account Account) error {
	text, err := marshal(account)
	if err != nil {
		return err
	}
	return c.call(func(client *C.hy_client_t) *C.hy_error_t {
		at, size := pointer(name)
		json, length := pointer(string(text))
		return C.hy_account_set(client, at, size, json, length)
	})
}

// RemoveAccount takes an account away. What waits for it ends not sent; what is in flight goes on.
func (c *Client) RemoveAccount(name string) error {
	return c.call(func(client *C.hy_client_t) *C.hy_error_t {
		at, size := pointer(name)
		return C.hy_account_remove(client, at, size)
	})
}

// CheckAccount asks the service of an account whether its credentials work, where it can be asked without
// sending. Where the context is cancelled first, the question goes on until its answer or the deadline.
func (c *Client) CheckAccount(ctx context.Context, name string) error {
	return c.wait(ctx, func(client *C.hy_client_t, timeout C.int64_t) *C.hy_error_t {
		at, size := pointer(name)
		return C.hy_check_account(client, at, size, timeout)
	})
}

// Flush waits until nothing is queued or in flight, and tells how many sends still are when the context ends.
func (c *Client) Flush(ctx context.Context) (unfinished int, err error) {
	var left atomic.Uint64
	err = c.wait(ctx, func(client *C.hy_client_t, timeout C.int64_t) *C.hy_error_t {
		var n C.uint64_t
		failed := C.hy_flush(client, timeout, &n)
		left.Store(uint64(n))
		return failed
	})
	return int(left.Load()), err
}

// wait runs a call that blocks a thread until it ends, or the context does.
func (c *Client) wait(ctx context.Context, f func(*C.hy_client_t, C.int64_t) *C.hy_error_t) error {
	timeout := C.int64_t(-1)
	if deadline, ok := ctx.Deadline(); ok {
		timeout = C.int64_t(milliseconds(time.Until(deadline)))
	}
	ended := make(chan error, 1)
	go func() {
		ended <- c.call(func(client *C.hy_client_t) *C.hy_error_t { return f(client, timeout) })
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Preview gives the request that a message would become as JSON, its secrets masked; nothing is sent.
func (c *Client) Preview(message Message) (json.RawMessage, error) {
	text, err := message.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var out *C.char
	var size C.size_t
	err = c.call(func(client *C.hy_client_t) *C.hy_error_t {
		return C.hy_preview_json(client, (*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)), &out, &size)
	})
	return owned(out, size), err
}

// Stats gives the counters of the client and of each account as JSON.
func (c *Client) Stats() (json.RawMessage, error) {
	var out *C.char
	var size C.size_t
	err := c.call(func(client *C.hy_client_t) *C.hy_error_t { return C.hy_stats_json(client, &out, &size) })
	return owned(out, size), err
}

// owned copies text that the library gave away, and frees it.
func owned(text *C.char, size C.size_t) json.RawMessage {
	if text == nil {
		return nil
	}
	defer C.hy_string_free(text)
	return C.GoBytes(unsafe.Pointer(text), C.int(size))
}

// Services tells as JSON what this build can send: of every service its recipients, parts, limits and the
// JSON Schema of its accounts.
func Services() json.RawMessage { return json.RawMessage(C.GoString(C.hy_services_json())) }

// Version is that of the library, such as "0.1.0".
func Version() string { return C.GoString(C.hy_version()) }
