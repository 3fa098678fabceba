package hongyan

import (
	"bytes"
	"encoding/json"
	"reflect"
	"time"
	"unicode/utf8"
)

// Message is what is sent. What a service cannot carry is refused with the path of its field.
type Message struct {
	Account     string       `json:"account,omitempty"`
	To          To           `json:"to,omitzero"` // empty: the account's own
	Title       string       `json:"title,omitempty"`
	Text        string       `json:"text,omitempty"`
	Format      string       `json:"format,omitempty"` // plain, markdown or html
	Parts       []Part       `json:"parts,omitempty"`  // in place of Text
	Attachments []Attachment `json:"attachments,omitempty"`
	Silent      bool         `json:"silent,omitempty"`
	Priority    string       `json:"priority,omitempty"` // low, normal, high or urgent
	Thread      string       `json:"thread,omitempty"`
	Overflow    string       `json:"overflow,omitempty"` // refuse, truncate or split
	ReplyTo     string       `json:"reply_to,omitempty"`
	// Key: two messages with one key on one account are one message.
	Key string `json:"key,omitempty"`
	// Ordered messages to one recipient are sent one after the other.
	Ordered bool `json:"ordered,omitempty"`
	// Extra has parameters of the service's own, under its own spelling.
	Extra map[string]any `json:"extra,omitempty"`
	// Deadline counts from the accept; 0: none.
	Deadline  time.Duration `json:"-"`
	NotBefore time.Time     `json:"-"`
}

// Part is a piece of a message as its JSON has it, such as {"type": "mention", "all": true}.
type Part map[string]any

// Attachment is a file by its path, by name and bytes, or by a URL where the service itself fetches it. With
// bytes a whole message may have 1 MiB; a path has no such limit.
type Attachment struct {
	Path string `json:"path,omitempty"`
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
	Data []byte `json:"data_base64,omitempty"`
	URL  string `json:"url,omitempty"`
}

// MarshalJSON gives the JSON that every front of the library takes.
func (m Message) MarshalJSON() ([]byte, error) {
	type plain Message
	whole := struct {
		V int `json:"v"`
		plain
		DeadlineMS  int64 `json:"deadline_ms,omitempty"`
		NotBeforeMS int64 `json:"not_before_ms,omitempty"`
	}{V: 1, plain: plain(m), DeadlineMS: milliseconds(m.Deadline)}
	if !m.NotBefore.IsZero() {
		whole.NotBeforeMS = m.NotBefore.UnixMilli()
	}
	return marshal(whole)
}

// marshal makes JSON, and refuses text that is no UTF-8 where encoding/json would send something else.
func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	text.Grow(512)
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, &Error{Code: ErrArgument, Message: err.Error()}
	}
	// It writes U+FFFD for what is no UTF-8, in one of its two spellings.
	written := text.Bytes()
	if (bytes.Contains(written, []byte("\ufffd")) || bytes.Contains(written, []byte(`ufffd`))) && !isText(reflect.ValueOf(value)) {
		return nil, &Error{Code: ErrArgument, Message: "a text is not UTF-8"}
	}
	return written, nil
}

// isText tells whether all text of a value is UTF-8.
func isText(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.String:
		return utf8.ValidString(value.String())
	case reflect.Interface, reflect.Pointer:
		return value.IsNil() || isText(value.Elem())
	case reflect.Struct:
		for i := range value.NumField() {
			if !isText(value.Field(i)) {
				return false
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range value.Len() {
			if !isText(value.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for at := value.MapRange(); at.Next(); {
			if !isText(at.Key()) || !isText(at.Value()) {
				return false
			}
		}
	}
	return true
}

// tagged is an object with one more field before its own.
func tagged(name, value string, object any) ([]byte, error) {
	text, err := marshal(object)
	if err != nil {
		return nil, err
	}
	head := []byte(`{"` + name + `":"` + value + `"`)
	if text = bytes.TrimSpace(text)[1:]; text[0] != '}' {
		head = append(head, ',')
	}
	return append(head, text...), nil
}
