package hongyan

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
)

func TestQueue(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	apart, err := client.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	own := client.Queue()
	ids := map[*Queue]map[string]uint64{own: {}, apart: {}}
	for token := range uint64(50) {
		for queue, own := range ids {
			op, err := queue.Submit(hello(fmt.Sprint("message ", token)), &SubmitOptions{Token: token})
			if err != nil {
				t.Fatal(err)
			}
			own[op.ID] = token
		}
	}
	for queue, own := range ids {
		for result := range queue.Results(patience(t)) {
			token, ok := own[result.ID]
			if !ok || result.Token != token || result.Err != nil {
				t.Fatalf("%+v", result)
			}
			if err := queue.Ack(result); err != nil {
				t.Fatal(err)
			}
			if delete(own, result.ID); len(own) == 0 {
				break
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := own.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the context's error is %v", err)
	}

	// What was accepted has its result, whatever comes; then comes the end, for everybody.
	for queue, own := range ids {
		message := hello("never")
		message.NotBefore = later
		op, err := queue.Submit(message, nil)
		if err != nil {
			t.Fatal(err)
		}
		own[op.ID] = 0
	}
	if cancelled := closeNow(client); cancelled != 2 {
		t.Errorf("%d were cancelled", cancelled)
	}
	for queue, own := range ids {
		count := 0
		for result := range queue.Results(patience(t)) {
			if _, ok := own[result.ID]; !ok || !errors.Is(result.Err, ErrCancelled) || result.Delivery != NotSent {
				t.Errorf("%+v", result)
			}
			count++
		}
		if count != 1 {
			t.Errorf("%d results", count)
		}
		if _, err := queue.Next(patience(t)); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end comes %v", err)
		}
		if _, err := queue.Submit(hello("late"), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("a late submit: %v", err)
		}
	}
	if _, err := client.NewQueue(); !errors.Is(err, ErrClosed) {
		t.Errorf("a late queue: %v", err)
	}
}

func TestQueueThatNobodyDrains(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	queue, err := client.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if _, err := queue.Submit(hello(fmt.Sprint("message ", i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	// More than are taken ahead wait.
	if unfinished, err := client.Flush(patience(t)); unfinished != 0 || err != nil {
		t.Errorf("%d unfinished, %v", unfinished, err)
	}
	if _, err := queue.Next(patience(t)); err != nil {
		t.Fatal(err)
	}
	for ctx := patience(t); len(queue.results) < cap(queue.results); runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatal("nothing is taken ahead")
		}
	}
	queue.Close()
	queue.Close()
	for ctx := patience(t); !queue.drain.is(over); runtime.Gosched() {
		if ctx.Err() != nil {
			t.Fatal("it waits for somebody to take results")
		}
	}
	if _, err := queue.Submit(hello("late"), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a late submit: %v", err)
	}
	if seen := sandbox.ask("GET /_/seen", nil).(map[string]any)["requests"]; seen != float64(300) {
		t.Errorf("%v requests", seen)
	}
}

func TestOutbox(t *testing.T) {
	sandbox := startSandbox(t)
	config := sandbox.config()
	config.Outbox = &Outbox{Path: filepath.Join(t.TempDir(), "outbox.db")}
	client := sandbox.open(config)
	queue := client.Queue()
	ids := map[string]bool{}
	for i := range 2 {
		op, err := queue.Submit(hello(fmt.Sprint("kept ", i)), nil)
		if err != nil {
			t.Fatal(err)
		}
		ids[op.ID] = true
	}
	first, err := queue.Next(patience(t))
	if err != nil || first.Err != nil || !ids[first.ID] {
		t.Fatalf("%v: %+v", err, first)
	}
	if err := queue.Ack(first); err != nil {
		t.Fatal(err)
	}
	delete(ids, first.ID)
	if _, err := client.Flush(patience(t)); err != nil {
		t.Fatal(err)
	}
	if cancelled, err := client.Close(patience(t)); cancelled != 0 || err != nil {
		t.Fatalf("%d were cancelled, %v", cancelled, err)
	}
	// It leaves the file: the result that nobody acknowledged comes again.
	queue.Close()
	again, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer closeNow(again)
	result, err := again.Queue().Next(patience(t))
	if err != nil || !ids[result.ID] || !result.EarlierRun || result.Delivery != Sent {
		t.Fatalf("%v: %+v", err, result)
	}
	if err := again.Queue().Ack(result); err != nil {
		t.Fatal(err)
	}
}
