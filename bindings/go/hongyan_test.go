package hongyan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A time that does not come.
var later = time.UnixMilli(4102444800000)

func hello(text string) Message {
	return Message{Account: "ff", To: To{User: "lisztli"}, Text: text}
}

func closeNow(client *Client) int {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	cancelled, _ := client.Close(ctx)
	return cancelled
}

// patience is a context that ends a test which hangs.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	t.Cleanup(cancel)
	return ctx
}

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

func TestSend(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	result, err := client.Send(context.Background(), hello("hello"))
	if err != nil || result.Delivery != Sent || result.MessageID == "" || result.Account != "ff" ||
		result.Service != "fanfou" || result.Attempts != 1 || len(result.ID) != 26 {
		t.Fatalf("%v: %+v", err, result)
	}
	if raw := result.Detail().Raw; !strings.Contains(string(raw), result.MessageID) {
		t.Errorf("the answer is %s", raw)
	}

	message := hello("hello")
	message.To.User = "nobody"
	result, err = client.Send(context.Background(), message)
	var failure *Error
	if !errors.Is(err, ErrNotFound) || errors.Is(err, ErrAuth) || !errors.As(err, &failure) {
		t.Fatalf("%v: %+v", err, result)
	}
	if result.Delivery != NotSent || failure.Service != "fanfou" || failure.HTTPStatus != 404 || failure.Retryable {
		t.Fatalf("%+v: %+v", failure, result)
	}
}

func TestMany(t *testing.T) {
	const many = 500
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	sandbox.hold(1)
	var sent sync.WaitGroup
	failures := make(chan error, many)
	for i := range many {
		sent.Add(1)
		go func() {
			defer sent.Done()
			if _, err := client.Send(patience(t), hello(fmt.Sprint("message ", i))); err != nil {
				failures <- err
			}
		}()
	}
	sandbox.ask("GET /_/held?count=1", nil)
	// A send waits in Go, not in a thread.
	if names := threads(t); len(names) > 40 {
		t.Errorf("%d threads: %v", len(names), names)
	}
	sandbox.ask("POST /_/release", nil)
	sent.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	seen := map[string]bool{}
	for _, message := range sandbox.ask("GET /_/seen", nil).(map[string]any)["messages"].([]any) {
		seen[message.(map[string]any)["text"].(string)] = true
	}
	if len(seen) != many {
		t.Errorf("%d of %d arrived", len(seen), many)
	}
}

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

func TestFull(t *testing.T) {
	sandbox := startSandbox(t)
	config := sandbox.config()
	config.MaxInFlight = 1
	config.Accounts = map[string]Account{"ff": config.Accounts["ff"]}
	client := sandbox.open(config)
	queue := client.Queue()
	message := hello("never")
	message.NotBefore = later
	op, err := queue.Submit(message, nil)
	if err != nil {
		t.Fatal(err)
	}
	var failure *Error
	result, err := client.Send(context.Background(), hello("too many"))
	if !errors.Is(err, ErrFull) || !errors.As(err, &failure) || !failure.Retryable || result.Delivery != NotSent {
		t.Errorf("%v: %+v", err, result)
	}
	if _, err := queue.Submit(hello("too many"), nil); !errors.Is(err, ErrFull) {
		t.Errorf("a submit: %v", err)
	}
	op.Cancel()
	if result, err := queue.Next(patience(t)); err != nil || !errors.Is(result.Err, ErrCancelled) {
		t.Errorf("%v: %+v", err, result)
	}
	if _, err := client.Send(context.Background(), hello("room again")); err != nil {
		t.Error(err)
	}
}

func TestCancel(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	ctx, cancel := context.WithCancel(context.Background())
	sandbox.hold(1)
	go func() {
		sandbox.ask("GET /_/held?count=1", nil)
		cancel()
	}()
	// Under way: nobody can know.
	result, err := client.Send(ctx, hello("under way"))
	if !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) || result.Delivery != MaybeSent {
		t.Errorf("%v: %+v", err, result)
	}
	// Cancelled before: it was not accepted.
	result, err = client.Send(ctx, hello("too late"))
	if !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) || result.ID != "" {
		t.Errorf("%v: %+v", err, result)
	}
	// Not begun: nothing was sent.
	ctx, cancel = context.WithCancel(context.Background())
	message := hello("never")
	message.NotBefore = later
	go cancel()
	if result, err = client.Send(ctx, message); !errors.Is(err, context.Canceled) || result.Delivery != NotSent {
		t.Errorf("%v: %+v", err, result)
	}
	if seen := sandbox.ask("GET /_/seen", nil).(map[string]any)["requests"]; seen != float64(1) {
		t.Errorf("%v requests", seen)
	}
}

func TestDeadline(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	message := hello("never")
	message.NotBefore = later
	for _, most := range []time.Duration{0, 20 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), most)
		result, err := client.Send(ctx, message)
		if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || result.Delivery != NotSent ||
			!result.Detail().Deadline {
			t.Errorf("%v: %v: %+v", most, err, result)
		}
		cancel()
	}
	message.Deadline = time.Microsecond
	if _, err := client.Send(context.Background(), message); !errors.Is(err, ErrExpired) {
		t.Errorf("%v", err)
	}
}

func TestText(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	const text = "a\x00b 🪿 👩‍👩‍👧 鸿雁 <&> \\ufffd \ufffd"
	if _, err := client.Send(context.Background(), Message{Account: "hook", Text: text}); err != nil {
		t.Fatal(err)
	}
	seen := sandbox.ask("GET /_/seen", nil).(map[string]any)["messages"].([]any)
	if found := seen[0].(map[string]any)["text"]; found != text {
		t.Errorf("%q arrived", found)
	}
	for _, message := range []Message{hello("\xff"), {Account: "ff", Extra: map[string]any{"mode": "\\\xed\xa0\x80"}}} {
		if result, err := client.Send(context.Background(), message); !errors.Is(err, ErrArgument) || result.ID != "" {
			t.Errorf("%v: %+v", err, result)
		}
	}
	result, err := client.Send(context.Background(), Message{Account: "hook", Text: "👋", Key: "k\x00🪿"})
	if err != nil || result.Key != "k\x00🪿" {
		t.Errorf("%v: %+v", err, result)
	}
}

func TestTwoClients(t *testing.T) {
	sandbox := startSandbox(t)
	one, two := sandbox.open(sandbox.config()), sandbox.open(sandbox.config())
	closeNow(one)
	if _, err := one.Send(context.Background(), hello("one")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := two.Send(context.Background(), hello("two")); err != nil {
		t.Error(err)
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
	// It gives its file free: the result that nobody acknowledged comes again.
	queue.Close()
	again, err := Open(config)
	for ctx := patience(t); errors.Is(err, ErrLocked) && ctx.Err() == nil; {
		again, err = Open(config) // a thread that was taking results leaves soon
	}
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

func TestConfig(t *testing.T) {
	var failure *Error
	_, err := OpenJSON(`{"v": 1, "accounts": {"a": {"service": "fanfu", "auth": {"type": "basic"}}}}`)
	if !errors.As(err, &failure) || failure.Code != ErrConfig || failure.Path != "accounts.a.service" {
		t.Errorf("%+v", err)
	}
	text, err := Config{Accounts: map[string]Account{
		"tg":   TelegramAccount{Auth: BotAuth{Token: "1:a"}, Common: Common{Rate: NoLimit, To: To{Chat: "4711"}}},
		"ff":   FanfouAccount{Auth: BasicAuth{"a", "<b>"}, Common: Common{Rate: &Rate{30, 1000}}, Format: "xml"},
		"ntfy": NtfyAccount{Auth: NoneAuth{}},
	}}.MarshalJSON()
	const expected = `{"v":1,"accounts":{` +
		`"ff":{"service":"fanfou","auth":{"type":"basic","username":"a","password":"<b>"},"rate":{"count":30,"per_ms":1000},"format":"xml"},` +
		`"ntfy":{"service":"ntfy","auth":{"type":"none"}},` +
		`"tg":{"service":"telegram","auth":{"type":"bot","token":"1:a"},"to":{"chat":"4711"},"rate":null}}}` + "\n"
	if err != nil || string(text) != expected {
		t.Errorf("%v: %s", err, text)
	}
}

func TestAccounts(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	if err := client.SetAccount("more", sandbox.config().Accounts["ff"]); err != nil {
		t.Fatal(err)
	}
	message := hello("hello")
	message.Account = "more"
	if _, err := client.Send(context.Background(), message); err != nil {
		t.Error(err)
	}
	if err := client.CheckAccount(patience(t), "ff"); err != nil && !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
	if err := client.CheckAccount(patience(t), "nobody"); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	preview, err := client.Preview(message)
	if err != nil || !strings.Contains(string(preview), "/fanfou/") || strings.Contains(string(preview), "pwd") {
		t.Errorf("%v: %s", err, preview)
	}
	if err := client.RemoveAccount("more"); err != nil {
		t.Error(err)
	}
	if _, err := client.Send(context.Background(), message); !errors.Is(err, ErrMessage) {
		t.Error(err)
	}
	if services := string(Services()); !strings.Contains(services, `"fanfou"`) || Version() == "" {
		t.Errorf("%s: %s", Version(), services)
	}
}

// The Go that the documents show is compiled and run as it stands there.
func TestReadme(t *testing.T) {
	sandbox := startSandbox(t)
	config := fmt.Sprintf(`{"v": 1, "accounts": {"ops": {"service": "telegram", "base_url": "%s/telegram",
		"auth": {"type": "bot", "token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}}}}`, sandbox.url)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../../README.md", "README.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Split(string(text), "\n```go\n")[1:]
		if len(blocks) == 0 {
			t.Errorf("%s has no Go", name)
		}
		for _, block := range blocks {
			code, _, _ := strings.Cut(block, "\n```")
			folder := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("hongyan.json", config)
			write("go.mod", "module example\n\ngo 1.24\n\nrequire hongyan v0.0.0\n\nreplace hongyan => "+here+"\n")
			write("main.go", "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"os\"\n\n\t\"hongyan\"\n)\n\n"+
				"func main() {\n\tctx := context.Background()\n"+code+"\n}\n")
			command := exec.Command("go", "run", ".")
			command.Dir = folder
			out, err := command.CombinedOutput()
			if err != nil || !strings.HasPrefix(string(out), "sent ") {
				t.Errorf("%s: %v: %s", name, err, out)
			}
		}
	}
}
