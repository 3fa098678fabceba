package hongyan

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// threads are the names of the threads of this process.
func threads(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	for _, file := range files {
		name, _ := os.ReadFile(file) // it may have ended
		names = append(names, strings.TrimSpace(string(name)))
	}
	return names
}

func TestCloseWhilePending(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	sandbox.hold(1)
	outcomes := make(chan Result)
	send := func(message Message) {
		result, err := client.Send(context.Background(), message)
		if !errors.Is(err, ErrCancelled) {
			t.Errorf("%v: %+v", err, result)
		}
		outcomes <- result
	}
	go send(hello("under way"))
	sandbox.ask("GET /_/held?count=1", nil)
	message := hello("never")
	message.NotBefore = later
	for range 20 {
		go send(message)
	}
	for pending := 0; pending < 21; {
		stats, err := client.Stats()
		if err != nil {
			t.Fatal(err)
		}
		pending = unfinished(t, stats)
	}
	ctx, cancel := context.WithCancel(context.Background())
	closed := make(chan int)
	go func() {
		cancelled, err := client.Close(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the close ended with %v", err)
		}
		closed <- cancelled
	}()
	cancel()
	found := map[Delivery]int{}
	for range 21 {
		found[(<-outcomes).Delivery]++
	}
	if found[NotSent] != 20 || found[MaybeSent] != 1 {
		t.Errorf("%v", found)
	}
	if cancelled := <-closed; cancelled != 21 {
		t.Errorf("%d were cancelled", cancelled)
	}
	if result, err := client.Send(context.Background(), hello("late")); !errors.Is(err, ErrClosed) || result.ID != "" {
		t.Errorf("%v: %+v", err, result)
	}
	if cancelled, err := client.Close(context.Background()); cancelled != 0 || err != nil {
		t.Errorf("a second close: %d, %v", cancelled, err)
	}
}

func TestCloseWaits(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	sandbox.hold(1)
	sent := make(chan error)
	go func() {
		_, err := client.Send(context.Background(), hello("under way"))
		sent <- err
	}()
	sandbox.ask("GET /_/held?count=1", nil)
	closed := make(chan int)
	go func() {
		cancelled, _ := client.Close(patience(t))
		closed <- cancelled
	}()
	sandbox.ask("POST /_/release", nil)
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if cancelled := <-closed; cancelled != 0 {
		t.Errorf("%d were cancelled", cancelled)
	}
}

// Nobody closes this client, and nobody holds it any more: its threads end, as those of all clients before it have.
func TestCollected(t *testing.T) {
	sandbox := startSandbox(t)
	func() {
		client, err := Open(sandbox.config())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Send(context.Background(), hello("hello")); err != nil {
			t.Fatal(err)
		}
		queue, err := client.NewQueue()
		if err != nil {
			t.Fatal(err)
		}
		sandbox.hold(2)
		for _, queue := range []*Queue{queue, client.Queue()} {
			if _, err := queue.Submit(hello("unseen"), nil); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 0)
			if _, err := queue.Next(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
		sandbox.ask("GET /_/held?count=2", nil)
	}()
	for range 10 {
		runtime.GC()
	}
	sandbox.ask("POST /_/release", nil)
	for ctx := patience(t); libraryThreads(t) > 0; runtime.GC() {
		if ctx.Err() != nil {
			t.Fatalf("threads are left: %v", threads(t))
		}
	}
	// Nothing was lost.
	if seen := sandbox.ask("GET /_/seen", nil).(map[string]any)["messages"].([]any); len(seen) != 3 {
		t.Errorf("%v arrived", seen)
	}
}

// unfinished is how many sends a client has, by its counters.
func unfinished(t *testing.T, stats []byte) int {
	t.Helper()
	var counters struct {
		Unfinished int `json:"unfinished"`
	}
	if err := json.Unmarshal(stats, &counters); err != nil {
		t.Fatal(err)
	}
	return counters.Unfinished
}

func libraryThreads(t *testing.T) (count int) {
	for _, name := range threads(t) {
		if strings.HasPrefix(name, "hy-") {
			count++
		}
	}
	return count
}
