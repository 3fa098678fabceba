package hongyan

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// lines is what the log has told.
type lines struct {
	mu   sync.Mutex
	told []string
	all  []LogLevel
}

func (l *lines) add(level LogLevel, target, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, target+": "+text)
	l.all = append(l.all, level)
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.told)
}

func TestLog(t *testing.T) {
	sandbox := startSandbox(t)
	var told lines
	if err := SetLog(LogDebug, told.add); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = SetLog(LogOff, nil) })
	client := sandbox.open(sandbox.config())
	if _, err := client.Send(context.Background(), hello("goose-text")); err != nil {
		t.Fatal(err)
	}
	closeNow(client)
	if err := SetLog(LogOff, nil); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(told.told, "\n")
	if !strings.Contains(all, "hongyan::client: hongyan "+Version()+" is ready") || strings.Contains(all, "goose") {
		t.Errorf("the log said:\n%s", all)
	}
	before := told.count()
	for _, level := range told.all {
		if level < LogError || level > LogDebug {
			t.Errorf("a line of level %d", level)
		}
	}
	client = sandbox.open(sandbox.config())
	if _, err := client.Send(context.Background(), hello("hello")); err != nil {
		t.Fatal(err)
	}
	if told.count() != before {
		t.Error("it went on")
	}
}

// A function that sends a message of every line would never come to an end.
func TestLogIsNoPlaceToSend(t *testing.T) {
	sandbox := startSandbox(t)
	client := sandbox.open(sandbox.config())
	found := make(chan error, 1000)
	err := SetLog(LogDebug, func(LogLevel, string, string) {
		_, err := client.Stats()
		select {
		case found <- err:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = SetLog(LogOff, nil) })
	if _, err := client.Send(context.Background(), hello("hello")); err != nil {
		t.Fatal(err)
	}
	if err := <-found; !errors.Is(err, ErrReentrant) {
		t.Errorf("in the log function: %v", err)
	}
	if err := SetLog(LogLevel(9), noLine(t)); !errors.Is(err, ErrArgument) {
		t.Errorf("level 9: %v", err)
	}
}

func noLine(t *testing.T) LogFunc {
	return func(_ LogLevel, target, text string) { t.Errorf("%s: %s", target, text) }
}

func TestLogLevelsAreThoseOfSlog(t *testing.T) {
	for level, expected := range map[LogLevel]slog.Level{
		LogError: slog.LevelError, LogWarn: slog.LevelWarn, LogInfo: slog.LevelInfo, LogDebug: slog.LevelDebug,
	} {
		if level.Level() != expected {
			t.Errorf("%d is %v", level, level.Level())
		}
	}
	if LogTrace.Level() >= slog.LevelDebug {
		t.Error("traces are debugging")
	}
}
