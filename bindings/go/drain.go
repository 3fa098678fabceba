package hongyan

/*
#include "bridge.h"
*/
import "C"

import "sync"

// drain takes results out of a queue of the library and hands them on. It holds no Queue and no Client, so that
// both can be collected.
type drain struct {
	core    *core
	queue   *C.hy_queue_t // nil: the client's own
	deliver func(Result)
	finish  func() // called once, after the last deliver
	stopped chan struct{}

	mu    sync.RWMutex
	state int
	left  sync.Once
}

// The states of a drain.
const (
	idle = iota
	runs
	stops
	over
)

// start begins to take results: one goroutine does so, in a thread that sleeps while there are none.
func (d *drain) start() {
	d.mu.RLock()
	state := d.state
	d.mu.RUnlock()
	if state != idle {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == idle {
		d.state = runs
		go d.run()
	}
}

func (d *drain) run() {
	batch := new(C.hyg_batch)
	for d.is(runs) {
		if taken(C.hyg_wait(d.core.client, d.queue, -1, batch)) != nil {
			break // closed, and every result was taken
		}
		for i := range int(batch.count) {
			d.deliver(resultFrom(&batch.results[i], batch.handles[i]))
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end()
}

func (d *drain) is(state int) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state == state
}

// halt ends the taking, whatever waits.
func (d *drain) halt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.state {
	case idle:
		d.end()
	case runs:
		d.state = stops
		close(d.stopped)
		if d.queue != nil {
			C.hy_queue_interrupt(d.queue)
		} else {
			C.hy_interrupt(d.core.client)
		}
	case over:
		d.leave()
	}
}

// end frees the queue; the lock is held.
func (d *drain) end() {
	halted := d.state != runs
	d.state = over
	if d.queue != nil {
		C.hy_queue_free(d.queue)
	}
	d.finish()
	if halted {
		d.leave()
	}
}

// leave lets go of the client.
func (d *drain) leave() { d.left.Do(d.core.leave) }

// submit gives a message to the library, whose result comes here. The queue is not freed meanwhile.
func (d *drain) submit(message []byte, options string, token uint64, cancels bool) (*C.hy_op_t, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.state >= stops {
		return nil, closed()
	}
	return d.core.submit(d.queue, message, options, token, cancels)
}
