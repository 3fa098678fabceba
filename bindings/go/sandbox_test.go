package hongyan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// guard ends a test that hangs; nothing waits for it otherwise.
const guard = 5 * time.Minute

// A sandbox of the command in HONGYAN, which plays the services.
type sandbox struct {
	t   *testing.T
	url string
}

func startSandbox(t *testing.T) *sandbox {
	t.Helper()
	command := exec.Command(os.Getenv("HONGYAN"), "sandbox", "--port", "0", "--json")
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatalf("no sandbox: %v; HONGYAN names the command, see tools/test-go", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var at struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(line, &at); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return &sandbox{t, at.URL}
}

// ask asks the sandbox itself, for instance "POST /_/faults".
func (s *sandbox) ask(do string, body any) any {
	s.t.Helper()
	method, path, _ := strings.Cut(do, " ")
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			s.t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, s.url+path, &text)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		s.t.Fatalf("%s: %s, %v: %s", do, answer.Status, err, read)
	}
	var found any
	if len(read) > 0 {
		if err := json.Unmarshal(read, &found); err != nil {
			s.t.Fatalf("%s: %v: %s", do, err, read)
		}
	}
	return found
}

// hold makes the sandbox hold the next requests to Fanfou until it is asked to release them.
func (s *sandbox) hold(times int) {
	s.t.Helper()
	s.ask("POST /_/faults", map[string]any{"service": "fanfou", "kind": "hold", "times": times})
}

// config has an account of Fanfou, "ff", and a webhook, "hook", at the sandbox.
func (s *sandbox) config() Config {
	return Config{
		Accounts: map[string]Account{
			"ff": FanfouAccount{
				Auth:    BasicAuth{Username: "test", Password: "pwd"},
				Common:  Common{Rate: NoLimit, MaxInFlight: 20000},
				BaseURL: s.url + "/fanfou",
			},
			"hook": WebhookAccount{
				Auth:      NoneAuth{},
				BaseURL:   s.url + "/webhook",
				URL:       "https://hooks.example.com/in/plain?key=goose-4711",
				Success:   map[string]any{"pointer": "/taken", "equals": true},
				MessageID: "/id",
			},
		},
		MaxInFlight: 20000,
		Retry:       &Retry{MaxAttempts: 1},
	}
}

// open makes a client that is closed when the test ends.
func (s *sandbox) open(config Config) *Client {
	s.t.Helper()
	client, err := Open(config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { closeNow(client) })
	return client
}
