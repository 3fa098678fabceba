package hongyan

/*
#include "bridge.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"time"
	"unsafe"
)

// Code is what went wrong, as a number that is never given another meaning. It is an error itself, so that
// errors.Is(err, hongyan.ErrFull) asks for it.
type Code int32

// String is the name of the code, such as "rate_limited".
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "unknown"
}

func (c Code) Error() string { return "hongyan: " + c.String() }

// Error is why a call failed, or why a message was not sent, not to all, or perhaps not.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"` // for people; never a secret
	Hint    string `json:"hint"`    // what may help
	Path    string `json:"path"`    // where in the message or the configuration
	Account string `json:"account"`
	Service string `json:"service"`
	// What the service said.
	ServiceCode string `json:"service_code"`
	HTTPStatus  int    `json:"http_status"`
	Attempts    int    `json:"attempts"`
	// Nothing was sent, and a later try may work: after RetryAfter, where that is known.
	Retryable  bool          `json:"retryable"`
	RetryAfter time.Duration `json:"-"`

	cause error
}

func (e *Error) Error() string {
	if e.Path != "" {
		return "hongyan: " + e.Code.String() + ": " + e.Path + ": " + e.Message
	}
	return "hongyan: " + e.Code.String() + ": " + e.Message
}

// Is tells whether target is the code of this error.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Unwrap gives the error of the context that ended the send; nil where none did.
func (e *Error) Unwrap() error { return e.cause }

// UnmarshalJSON reads the error object that every front of the library gives.
func (e *Error) UnmarshalJSON(text []byte) error {
	type plain Error
	read := struct {
		*plain
		RetryAfterMS *int64 `json:"retry_after_ms"`
	}{plain: (*plain)(e)}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	if read.RetryAfterMS != nil {
		e.RetryAfter = time.Duration(*read.RetryAfterMS) * time.Millisecond
	}
	return nil
}

// endedBy notes that a context ended a send whose result has this error.
func (e *Error) endedBy(ctx context.Context) {
	switch {
	case e == nil:
	case ctx.Err() != nil:
		e.cause = ctx.Err()
	case e.Code == ErrTimeout:
		// The library's clock was a little ahead of the context's.
		if _, ok := ctx.Deadline(); ok {
			e.cause = context.DeadlineExceeded
		}
	}
}

// errorFrom reads the JSON of an error.
func errorFrom(text C.hyg_text) *Error {
	if text.at == nil {
		return nil
	}
	e := new(Error)
	if err := json.Unmarshal(bytesOf(text), e); err != nil {
		return &Error{Code: ErrInternal, Message: "an error that cannot be read: " + err.Error()}
	}
	return e
}

// taken reads an error that a call returned, and frees it.
func taken(e *C.hy_error_t) error {
	if e == nil {
		return nil
	}
	defer C.hy_error_free(e)
	var text C.hyg_text
	text.at = C.hy_error_detail_json(e, &text.len)
	return errorFrom(text)
}

func closed() error {
	return &Error{Code: ErrClosed, Message: "the client is closed"}
}

func isClosed(err error) bool { return errors.Is(err, ErrClosed) }

// bytesOf shows borrowed text; what is kept of it is copied.
func bytesOf(text C.hyg_text) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(text.at)), int(text.len))
}

func stringOf(text C.hyg_text) string { return string(bytesOf(text)) }

// pointer is the address of text for a call; the text stays where it is until the call returns.
func pointer(text string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.size_t(len(text))
}
