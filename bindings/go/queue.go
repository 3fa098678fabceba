package hongyan

/*
#include "bridge.h"
*/
import "C"

import (
	"context"
	"iter"
	"runtime"
	"time"
)

// Queue takes the results of the messages that were submitted to it. Any goroutine may use it.
type Queue struct {
	client  *Client
	drain   *drain
	results chan Result
}

// SubmitOptions is how a message of a queue is sent. The zero value is that of nil.
type SubmitOptions struct {
	// Token comes back in the result.
	Token uint64
	// Timeout is how long the send may take, retries included; 0: as long as it needs, below 0: no time at all.
	Timeout time.Duration
	// Fleeting: an outbox does not keep the message.
	Fleeting bool
}

// Op is a message that was submitted.
type Op struct {
	// ID is the library's own, which the result has too.
	ID string
	op *C.hy_op_t
}

// Queue is the client's own. It also has the results of what an earlier process left in the outbox.
func (c *Client) Queue() *Queue {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil {
		c.own = c.queueOf(nil)
	}
	return c.own
}

// NewQueue makes a queue apart, so that parts of a program that share the client do not take each other's
// results. It may be drained after the client was closed.
func (c *Client) NewQueue() (*Queue, error) {
	var queue *C.hy_queue_t
	err := c.call(func(client *C.hy_client_t) *C.hy_error_t { return C.hy_queue_new(client, &queue) })
	if err != nil {
		return nil, err
	}
	return c.queueOf(queue), nil
}

func (c *Client) queueOf(queue *C.hy_queue_t) *Queue {
	q := &Queue{client: c, results: make(chan Result, C.HYG_BATCH)}
	results, stopped := q.results, make(chan struct{})
	deliver := func(result Result) {
		select {
		case results <- result:
		case <-stopped:
		}
	}
	finish := func() { close(results) }
	q.drain = &drain{core: c.core, queue: queue, deliver: deliver, finish: finish, stopped: stopped}
	// Until the end was seen, results can be taken and acknowledged.
	if !c.core.enter() {
		q.drain.left.Do(func() {})
		q.drain.halt()
	}
	runtime.AddCleanup(q, func(d *drain) { d.halt() }, q.drain)
	return q
}

// Submit accepts a message and returns; exactly one result comes out of the queue, whatever happens. An error
// means that nothing was accepted: ErrFull that so many are under way already. Where the client has an outbox
// the message is durable then.
func (q *Queue) Submit(message Message, options *SubmitOptions) (*Op, error) {
	text, err := message.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return q.SubmitJSON(text, options)
}

// SubmitJSON submits a message that is JSON already. All that is wrong with it becomes its result.
func (q *Queue) SubmitJSON(message []byte, options *SubmitOptions) (*Op, error) {
	defer runtime.KeepAlive(q)
	var given SubmitOptions
	if options != nil {
		given = *options
	}
	text := ""
	switch {
	case given.Timeout != 0:
		text = within(given.Timeout, given.Fleeting)
	case given.Fleeting:
		text = notDurable
	}
	op, err := q.drain.submit(message, text, given.Token, true)
	if err != nil {
		return nil, err
	}
	var id C.hyg_text
	id.at = C.hy_op_id(op, &id.len)
	submitted := &Op{ID: stringOf(id), op: op}
	runtime.AddCleanup(submitted, func(op *C.hy_op_t) { C.hy_op_free(op) }, op)
	return submitted, nil
}

// Cancel asks for the end of the send; its result says what became true.
func (o *Op) Cancel() {
	C.hy_op_cancel(o.op)
	runtime.KeepAlive(o)
}

// Next waits for a result. The error is the context's, or ErrClosed once the client is closed and every result
// was taken.
func (q *Queue) Next(ctx context.Context) (Result, error) {
	defer runtime.KeepAlive(q)
	q.drain.start()
	select {
	case result, ok := <-q.results:
		return q.taken(result, ok)
	default:
	}
	select {
	case result, ok := <-q.results:
		return q.taken(result, ok)
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

func (q *Queue) taken(result Result, ok bool) (Result, error) {
	if !ok {
		q.drain.leave()
		return Result{}, closed()
	}
	return result, nil
}

// Results gives the results as they come, until the client is closed and every result was taken, or the
// context ends.
func (q *Queue) Results(ctx context.Context) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for {
			result, err := q.Next(ctx)
			if err != nil || !yield(result) {
				return
			}
		}
	}
}

// Ack says that a result need never be handed out again. Without an outbox there is nothing to do.
func (q *Queue) Ack(result Result) error {
	if result.handle == nil || !q.drain.core.keeps {
		return nil
	}
	defer runtime.KeepAlive(result.handle)
	return q.client.call(func(client *C.hy_client_t) *C.hy_error_t {
		return C.hy_result_ack(client, result.handle.result)
	})
}

// Close ends the queue, not its sends. Results that nobody took are gone; an outbox hands them out in a later
// run. A closed client gives its outbox free once its queues were closed, or drained to their end.
func (q *Queue) Close() {
	q.drain.halt()
	runtime.KeepAlive(q)
}
