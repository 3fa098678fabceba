package hongyan

/*
#include "bridge.h"
*/
import "C"

import (
	"log/slog"
	"sync/atomic"
)

// LogLevel is how much a line of the library's log matters.
type LogLevel int32

const (
	LogOff   LogLevel = 0
	LogError LogLevel = C.HY_LOG_ERROR // something is broken
	LogWarn  LogLevel = C.HY_LOG_WARN  // something went wrong and was dealt with
	LogInfo  LogLevel = C.HY_LOG_INFO  // the life of a client, and every retry
	LogDebug LogLevel = C.HY_LOG_DEBUG // every send
	LogTrace LogLevel = C.HY_LOG_TRACE // everything
)

// Level is the level of package slog, in which traces are finer than its LevelDebug.
func (l LogLevel) Level() slog.Level {
	switch l {
	case LogError:
		return slog.LevelError
	case LogWarn:
		return slog.LevelWarn
	case LogInfo:
		return slog.LevelInfo
	case LogDebug:
		return slog.LevelDebug
	default:
		return slog.LevelDebug - 4
	}
}

// LogFunc takes a line: its target, such as "hongyan::retry", and its text, which has no secret and no message.
type LogFunc func(level LogLevel, target, text string)

var logFunc atomic.Pointer[LogFunc]

// SetLog has a function called for each line of the log up to a level, of all clients of the process; LogOff or
// nil: for none any more, once it has returned.
//
//	hongyan.SetLog(hongyan.LogInfo, func(level hongyan.LogLevel, target, text string) {
//		slog.Log(context.Background(), level.Level(), text, "target", target)
//	})
//
// It is called on threads of the library, several at once, which wait for it. What it calls on a client or a queue
// answers ErrReentrant. A panic in it ends the process, as that of a goroutine of its own.
func SetLog(level LogLevel, f LogFunc) error {
	if f == nil || level == LogOff {
		err := taken(C.hyg_set_log(0))
		if err == nil {
			logFunc.Store(nil)
		}
		return err
	}
	before := logFunc.Swap(&f)
	err := taken(C.hyg_set_log(C.int32_t(level)))
	if err != nil {
		logFunc.Store(before)
	}
	return err
}

//export hygLine
func hygLine(level C.int32_t, target, text *C.char) {
	f := logFunc.Load()
	if f == nil {
		return
	}
	defer func() {
		// It must not go through the frames of the library.
		if broken := recover(); broken != nil {
			go panic(broken)
		}
	}()
	(*f)(LogLevel(level), C.GoString(target), C.GoString(text))
}
