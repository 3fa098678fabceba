package hongyan

/*
#include "bridge.h"
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"runtime"
	"time"
)

// Delivery is whether a message arrived.
type Delivery int32

const (
	NotSent    Delivery = C.HY_NOT_SENT    // nothing was sent: sending again cannot duplicate
	MaybeSent  Delivery = C.HY_MAYBE_SENT  // nobody can know
	Sent       Delivery = C.HY_SENT        // the service said that it has the message
	PartlySent Delivery = C.HY_PARTLY_SENT // some recipients or parts have it, the others surely have not
)

var deliveries = [...]string{NotSent: "not_sent", MaybeSent: "maybe_sent", Sent: "sent", PartlySent: "partly_sent"}

func (d Delivery) String() string {
	if d < 0 || int(d) >= len(deliveries) {
		return fmt.Sprintf("delivery %d", int32(d))
	}
	return deliveries[d]
}

// UnmarshalText reads a name, such as "sent".
func (d *Delivery) UnmarshalText(name []byte) error {
	for i, known := range deliveries {
		if known == string(name) {
			*d = Delivery(i)
			return nil
		}
	}
	return fmt.Errorf("hongyan: no delivery is called %q", name)
}

// Result is what became of a message. Its zero value is that of a message which was never accepted.
type Result struct {
	Delivery Delivery
	// Err is why it is not sent, not to all, or perhaps not; nil: delivered.
	Err *Error
	// MessageID is the service's id of the message, exact to the last digit; empty where it gives none.
	MessageID string
	ID        string // the library's own
	Key       string
	Account   string
	Service   string
	Token     uint64 // what SubmitOptions named
	Attempts  int
	Elapsed   time.Duration // from its accept to its result
	// Deduplicated: it is the result of an earlier message of this key, or the service knew it again.
	Deduplicated bool
	// EarlierRun: an earlier process accepted the message into the outbox.
	EarlierRun bool

	handle *handle
}

// Detail is what a result tells besides.
type Detail struct {
	Recipients  []RecipientResult `json:"recipients"` // where the message named a list
	Pieces      []PieceResult     `json:"pieces"`     // where its text was split
	Notes       []Note            `json:"notes"`      // worth knowing, and no error
	ServiceTime int64             `json:"service_time"`
	Deadline    bool              `json:"deadline"` // the caller's time ran out
	Raw         json.RawMessage   `json:"raw"`      // the service's answer, secrets masked
}

// RecipientResult is what became of a message for one of its recipients.
type RecipientResult struct {
	To        map[string]string `json:"to"`
	Delivery  Delivery          `json:"delivery"`
	MessageID string            `json:"message_id"`
	Err       *Error            `json:"error"`
}

// PieceResult is what became of one piece of a split text.
type PieceResult struct {
	Delivery  Delivery `json:"delivery"`
	MessageID string   `json:"message_id"`
	Err       *Error   `json:"error"`
}

// Note is something worth knowing about a send.
type Note struct {
	Name    string `json:"name"` // accepted_only, truncated, readdressed or converted
	Message string `json:"message"`
}

// JSON is everything about the result, made when it is asked for; of a message that was not accepted it is empty.
func (r Result) JSON() string {
	if r.handle == nil {
		return ""
	}
	defer runtime.KeepAlive(r.handle)
	var text C.hyg_text
	text.at = C.hy_result_json(r.handle.result, &text.len)
	return stringOf(text)
}

// Detail reads more of the result's JSON than the result has at hand.
func (r Result) Detail() Detail {
	var detail Detail
	// The library made the JSON; a result that has none has no details.
	_ = json.Unmarshal([]byte(r.JSON()), &detail)
	return detail
}

// handle keeps a result of the library until nobody holds its Result any more.
type handle struct{ result *C.hy_result_t }

// resultFrom copies what a result of the library tells, and keeps the result for what may be asked later.
func resultFrom(r *C.hyg_result, result *C.hy_result_t) Result {
	kept := &handle{result}
	runtime.AddCleanup(kept, func(result *C.hy_result_t) { C.hy_result_free(result) }, result)
	return Result{
		Delivery:     Delivery(r.delivery),
		Err:          errorFrom(r.error),
		MessageID:    stringOf(r.message_id),
		ID:           stringOf(r.id),
		Key:          stringOf(r.key),
		Account:      stringOf(r.account),
		Service:      stringOf(r.service),
		Token:        uint64(r.token),
		Attempts:     int(r.attempts),
		Elapsed:      time.Duration(r.elapsed_ms) * time.Millisecond,
		Deduplicated: r.deduplicated != 0,
		EarlierRun:   r.origin == C.HY_EARLIER_RUN,
		handle:       kept,
	}
}
