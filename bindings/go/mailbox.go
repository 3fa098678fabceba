package hongyan

/*
#include "bridge.h"
*/
import "C"

import (
	"runtime"
	"sync"
)

// mailbox gives the results of a client's sends to those who wait for them.
type mailbox struct {
	drain *drain
	over  chan struct{} // closed once every result was given
	// As many submits at once as there are processors: the others wait in Go, and take no thread.
	slots chan struct{}

	mu      sync.Mutex
	token   uint64
	pending map[uint64]*place
	idle    []*place
}

// place is where one send waits.
type place struct {
	token   uint64
	arrived chan struct{}
	result  Result
}

// mailbox is made with the first send.
func (c *Client) mailbox() (*mailbox, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mail == nil {
		var queue *C.hy_queue_t
		err := c.call(func(client *C.hy_client_t) *C.hy_error_t { return C.hy_queue_new(client, &queue) })
		if err != nil {
			return nil, err
		}
		m := &mailbox{
			over: make(chan struct{}), slots: make(chan struct{}, runtime.GOMAXPROCS(0)), pending: make(map[uint64]*place),
		}
		m.drain = &drain{core: c.core, queue: queue, deliver: m.give, finish: func() { close(m.over) }}
		// It does not keep the client: it ends with it.
		m.drain.left.Do(func() {})
		m.drain.start()
		c.mail = m
	}
	return c.mail, nil
}

func (m *mailbox) submit(message []byte, options string, token uint64, cancels bool) (*C.hy_op_t, error) {
	m.slots <- struct{}{}
	defer func() { <-m.slots }()
	return m.drain.submit(message, options, token, cancels)
}

func (m *mailbox) give(result Result) {
	m.mu.Lock()
	p := m.pending[result.Token]
	delete(m.pending, p.token)
	m.mu.Unlock()
	p.result = result
	p.arrived <- struct{}{}
}

// expect makes a place for a send that is about to be submitted.
func (m *mailbox) expect() *place {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p *place
	if last := len(m.idle) - 1; last >= 0 {
		p, m.idle = m.idle[last], m.idle[:last]
	} else {
		p = &place{arrived: make(chan struct{}, 1)}
	}
	m.token++
	p.token = m.token
	m.pending[p.token] = p
	return p
}

// forget takes a place back whose message was not accepted.
func (m *mailbox) forget(p *place) {
	m.mu.Lock()
	delete(m.pending, p.token)
	m.mu.Unlock()
}

// empty takes the result out of a place, which the next send may use.
func (m *mailbox) empty(p *place) Result {
	result := p.result
	p.result = Result{}
	m.mu.Lock()
	// What a burst needed is not kept for good.
	if len(m.idle) < C.HYG_BATCH {
		m.idle = append(m.idle, p)
	}
	m.mu.Unlock()
	return result
}
