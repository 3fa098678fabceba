package hongyan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
