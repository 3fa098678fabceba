package hongyan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A step of a case, as tests/conformance/README.md tells.
type step struct {
	Op         string          `json:"op"`
	Do         string          `json:"do"`
	Body       any             `json:"body"`
	Config     json.RawMessage `json:"config"`
	Message    json.RawMessage `json:"message"`
	JSON       *string         `json:"json"`
	TimeoutMS  *int64          `json:"timeout_ms"`
	As         string          `json:"as"`
	Of         string          `json:"of"`
	Unfinished int             `json:"unfinished"`
	Expect     json.RawMessage `json:"expect"`
	Error      any             `json:"error"`
}

func read(t *testing.T, name string, into any, replace ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../tests/conformance", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(strings.NewReplacer(replace...).Replace(string(text))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestConformance(t *testing.T) {
	var index struct {
		About string         `json:"about"`
		Pairs int            `json:"pairs"`
		Files map[string]int `json:"files"`
	}
	read(t, "index", &index)
	var compare struct {
		About string `json:"about"`
		Pairs []struct {
			Fits   bool `json:"fits"`
			Expect any  `json:"expect"`
			Found  any  `json:"found"`
		} `json:"pairs"`
	}
	read(t, "compare", &compare)
	for _, pair := range compare.Pairs {
		if fits(pair.Expect, pair.Found) != pair.Fits {
			t.Fatalf("the comparison is wrong: %v", pair)
		}
	}
	if len(compare.Pairs) != index.Pairs {
		t.Fatalf("%d pairs, not %d", len(compare.Pairs), index.Pairs)
	}
	ran := 0
	for name, count := range index.Files {
		t.Run(name, func(t *testing.T) {
			sandbox := startSandbox(t)
			var file struct {
				About  string          `json:"about"`
				Config json.RawMessage `json:"config"`
				Cases  []struct {
					Name   string          `json:"name"`
					Config json.RawMessage `json:"config"`
					Steps  []step          `json:"steps"`
				} `json:"cases"`
			}
			port := sandbox.url[strings.LastIndexByte(sandbox.url, ':')+1:]
			read(t, name, &file, "{sandbox}", sandbox.url, "{port}", port)
			if len(file.Cases) != count {
				t.Fatalf("%d cases, not %d", len(file.Cases), count)
			}
			for _, c := range file.Cases {
				config := file.Config
				if c.Config != nil {
					config = c.Config
				}
				sandbox.ask("POST /_/reset", nil)
				runner := newRunner(t, sandbox, config)
				for i, step := range c.Steps {
					if err := runner.run(step); err != nil {
						t.Fatalf("%s, step %d (%s): %v", c.Name, i+1, step.Op, err)
					}
				}
				closeNow(runner.client)
				ran++
			}
		})
	}
	t.Logf("conformance: %d cases in %d files", ran, len(index.Files))
}

type runner struct {
	sandbox *sandbox
	client  *Client
	queue   *Queue
	ops     map[string]*Op
	names   map[string]string // by id
	found   map[string]Result // those that wait for their step
}

func newRunner(t *testing.T, sandbox *sandbox, config json.RawMessage) *runner {
	t.Helper()
	client, err := OpenJSON(config)
	if err != nil {
		t.Fatal(err)
	}
	queue, err := client.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	return &runner{sandbox, client, queue, map[string]*Op{}, map[string]string{}, map[string]Result{}}
}

func (r *runner) run(s step) error {
	message := []byte(s.Message)
	if s.JSON != nil {
		message = []byte(*s.JSON)
	}
	switch s.Op {
	case "sandbox":
		found := r.sandbox.ask(s.Do, s.Body)
		if s.Expect == nil {
			return nil
		}
		return expected(s.Expect, found)
	case "open":
		_, err := OpenJSON(s.Config)
		return failed(s.Error, err)
	case "send":
		ctx, cancel := timeLimit(s.TimeoutMS)
		defer cancel()
		result, err := r.client.SendJSON(ctx, message)
		if s.Error != nil {
			if result.ID != "" {
				return fmt.Errorf("there is a result: %s", result.JSON())
			}
			return failed(s.Error, err)
		}
		if (err == nil) != (result.Delivery == Sent) {
			return fmt.Errorf("%v, and the error is %v", result.Delivery, err)
		}
		return told(s.Expect, result)
	case "submit":
		var options SubmitOptions
		if s.TimeoutMS != nil && *s.TimeoutMS == 0 {
			options.Timeout = -1
		} else if s.TimeoutMS != nil {
			options.Timeout = time.Duration(*s.TimeoutMS) * time.Millisecond
		}
		op, err := r.queue.SubmitJSON(message, &options)
		if s.Error != nil || err != nil {
			return failed(s.Error, err)
		}
		r.ops[s.As], r.names[op.ID] = op, s.As
		return nil
	case "result":
		for {
			if result, ok := r.found[s.Of]; ok {
				delete(r.found, s.Of)
				return told(s.Expect, result)
			}
			result, err := r.next()
			if err != nil {
				return err
			}
			name, ok := r.names[result.ID]
			if !ok {
				return fmt.Errorf("nobody submitted %s, or it came twice", result.JSON())
			}
			delete(r.names, result.ID)
			r.found[name] = result
		}
	case "cancel":
		r.ops[s.Of].Cancel()
		return nil
	case "close":
		ctx, cancel := timeLimit(s.TimeoutMS)
		defer cancel()
		if unfinished, _ := r.client.Close(ctx); unfinished != s.Unfinished {
			return fmt.Errorf("%d were cut", unfinished)
		}
		return nil
	case "end":
		result, err := r.next()
		if len(r.found) > 0 || !errors.Is(err, ErrClosed) {
			return fmt.Errorf("no end, but %v, %s and %d others", err, result.JSON(), len(r.found))
		}
		return nil
	}
	return errors.New("no such op")
}

func (r *runner) next() (Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	return r.queue.Next(ctx)
}

// timeLimit is a context of so many milliseconds; without, or below 0, it never ends.
func timeLimit(ms *int64) (context.Context, context.CancelFunc) {
	if ms == nil || *ms < 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), time.Duration(*ms)*time.Millisecond)
}

func told(expect json.RawMessage, result Result) error {
	var found any
	if err := json.Unmarshal([]byte(result.JSON()), &found); err != nil {
		return err
	}
	// What the struct says is what the JSON says.
	said := map[string]any{"delivery": result.Delivery.String(), "attempts": float64(result.Attempts)}
	if result.Err != nil {
		said["error"] = errorJSON(result.Err)
	}
	if !fits(said, found) {
		return fmt.Errorf("%+v is not %s", said, result.JSON())
	}
	return expected(expect, found)
}

// errorJSON is what an error says, as JSON has it.
func errorJSON(e *Error) map[string]any {
	found := map[string]any{
		"code": float64(e.Code), "name": e.Code.String(), "message": e.Message, "retryable": e.Retryable,
		"attempts": float64(e.Attempts), "path": nil,
	}
	if e.Path != "" {
		found["path"] = e.Path
	}
	return found
}

func failed(expect any, err error) error {
	var failure *Error
	if !errors.As(err, &failure) {
		return fmt.Errorf("no error, but %v", err)
	}
	if found := errorJSON(failure); !fits(expect, found) {
		return fmt.Errorf("%v, not %v", found, expect)
	}
	return nil
}

func expected(expect json.RawMessage, found any) error {
	var wanted any
	if err := json.Unmarshal(expect, &wanted); err != nil {
		return err
	}
	if !fits(wanted, found) {
		return fmt.Errorf("found %v, expected %v", found, wanted)
	}
	return nil
}

// fits tells whether what was found is what is expected.
func fits(expect, found any) bool {
	switch expect := expect.(type) {
	case map[string]any:
		object, ok := found.(map[string]any)
		for name, value := range expect {
			got, there := object[name]
			ok = ok && there && fits(value, got)
		}
		return ok
	case []any:
		list, ok := found.([]any)
		ok = ok && len(list) == len(expect)
		for i := 0; ok && i < len(expect); i++ {
			ok = fits(expect[i], list[i])
		}
		return ok
	case string:
		text, ok := found.(string)
		_, number := found.(float64)
		return ok && text == expect || ok && text != "" && expect == "{string}" || number && expect == "{number}"
	default:
		return expect == found
	}
}
