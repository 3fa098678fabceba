package hongyan

import "encoding/json"

// Config is what Open takes: the accounts by their names, and what else there is. 0 and "" stand for the defaults.
type Config struct {
	Accounts              map[string]Account `json:"accounts"`
	TimeoutMS             int64              `json:"timeout_ms,omitempty"` // of one attempt
	IdleMS                int64              `json:"idle_ms,omitempty"`
	MaxInFlight           int                `json:"max_in_flight,omitempty"`
	MaxConnectionsPerHost int                `json:"max_connections_per_host,omitempty"`
	Retry                 *Retry             `json:"retry,omitempty"`
	Proxy                 string             `json:"proxy,omitempty"`
	CAFile                string             `json:"ca_file,omitempty"`
	UserAgent             string             `json:"user_agent,omitempty"`
	Trace                 bool               `json:"trace,omitempty"`
	Outbox                *Outbox            `json:"outbox,omitempty"`
}

// Account is one of the accounts that the services have, such as TelegramAccount, or JSON (json.RawMessage,
// map[string]any).
type Account any

// Auth is what an account signs with, such as BotAuth, or JSON.
type Auth any

// Rate replaces the documented limits of an account; NoLimit removes them.
type Rate struct {
	Count int   `json:"count"`
	PerMS int64 `json:"per_ms"`
}

// NoLimit is the rate of an account whose documented limits do not hold.
var NoLimit = &Rate{}

// MarshalJSON gives null for no limit.
func (r Rate) MarshalJSON() ([]byte, error) {
	type plain Rate
	if r == *NoLimit {
		return []byte("null"), nil
	}
	return json.Marshal(plain(r))
}

// Retry is how often a message is tried, and how long is waited between.
type Retry struct {
	MaxAttempts int    `json:"max_attempts,omitempty"`
	InitialMS   int64  `json:"initial_ms,omitempty"`
	MaxMS       int64  `json:"max_ms,omitempty"`
	OnMaybeSent string `json:"on_maybe_sent,omitempty"` // stop or resend
}

// Outbox keeps messages until their results were acknowledged: in a file that any number of processes
// may have open (Path), or in a PostgreSQL database (Postgres, a URL).
type Outbox struct {
	Path        string `json:"path,omitempty"`
	Postgres    string `json:"postgres,omitempty"`
	Schema      string `json:"schema,omitempty"` // of the database; hongyan where it is empty
	Owner       string `json:"owner,omitempty"`  // results come out of clients of the same owner
	Sends       *bool  `json:"sends,omitempty"`  // false: others send what this client submits
	LeaseMS     int64  `json:"lease_ms,omitempty"`
	MaxMessages int64  `json:"max_messages,omitempty"`
	MaxBytes    int64  `json:"max_bytes,omitempty"`
	KeyDays     int    `json:"key_days,omitempty"`
}

// MarshalJSON gives the JSON that every front of the library takes.
func (c Config) MarshalJSON() ([]byte, error) {
	type plain Config
	return marshal(struct {
		V int `json:"v"`
		plain
	}{1, plain(c)})
}
