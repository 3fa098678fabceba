import type { Account, ErrorName, To } from './schema'

export * from './schema'

/** Whether a message arrived. `not_sent`: sending it again cannot make two of it. */
export type Delivery = 'sent' | 'maybe_sent' | 'not_sent' | 'partly_sent'

/** Why something failed, as JSON has it. */
export interface ErrorDetail {
  code: number
  name: ErrorName
  /** For people; never a secret. */
  message: string
  account: string | null
  service: string | null
  service_code: string | null
  http_status: number | null
  /** Where in the message or the configuration. */
  path: string | null
  attempts: number
  /** Nothing was sent, and a later try may work. */
  retryable: boolean
  retry_after_ms: number | null
  hint: string | null
}

/** Why a call failed, or why a message was not sent, not to all, or perhaps not. */
export class HongyanError extends Error implements ErrorDetail {
  code: number
  name: ErrorName
  account: string | null
  service: string | null
  service_code: string | null
  http_status: number | null
  path: string | null
  attempts: number
  retryable: boolean
  retry_after_ms: number | null
  hint: string | null
  /** The result of the message; null where none was accepted. */
  readonly result: Result | null
  /** Whether the message arrived all the same. */
  readonly delivery: Delivery
}

/** What became of a message for one of its recipients. */
export interface RecipientResult {
  to: Partial<Record<keyof To, string>>
  delivery: Delivery
  message_id: string | null
  error: ErrorDetail | null
}

/** What became of one piece of a split text. */
export type PieceResult = Omit<RecipientResult, 'to'>

/** Worth knowing about a send, and no error. */
export interface Note {
  name: string
  message: string
}

/** What became of a message: the members of its result in JSON. */
export class Result {
  private constructor()
  /** The library's own id, a ULID. */
  readonly id: string
  readonly token: number
  readonly key: string | null
  readonly account: string
  readonly service: string | null
  readonly delivery: Delivery
  /** The service's id of the message, exact to the last digit. */
  readonly message_id: string | null
  /** When the service says that it took the message, in Unix seconds. */
  readonly service_time: number | null
  readonly deduplicated: boolean
  readonly recovered: boolean
  /** The caller's time ran out. */
  readonly deadline: boolean
  readonly attempts: number
  readonly elapsed_ms: number
  /** null: delivered. */
  readonly error: ErrorDetail | null
  readonly recipients: readonly RecipientResult[] | null
  readonly pieces: readonly PieceResult[] | null
  readonly notes: readonly Note[]
  /** The service's answer, secrets masked; of long numbers only `toString()` has every digit. */
  readonly raw: unknown
  /** One an attempt, where the configuration has `trace`. */
  readonly trace?: readonly Record<string, unknown>[]
  /** An earlier process accepted the message into the outbox. */
  readonly earlier_run: boolean
  /** The JSON as the library wrote it. */
  toString(): string
  toJSON(): Record<string, unknown>
}

/** A file by its path, by name and bytes, or by a URL where the service itself fetches it. */
export type Attachment =
  | { path: string; name?: string; type?: string }
  | { name: string; type?: string; data_base64: string }
  | { url: string; name?: string; type?: string }

/** What is sent. What a service cannot carry is refused with the path of its member. */
export interface Message {
  v?: 1
  account: string
  to?: To
  title?: string
  text?: string
  format?: 'plain' | 'markdown' | 'html'
  /** In place of `text`, such as `{ type: 'mention', all: true }`. */
  parts?: readonly { type: string; [member: string]: unknown }[]
  attachments?: readonly Attachment[]
  silent?: boolean
  priority?: 'low' | 'normal' | 'high' | 'urgent'
  thread?: string
  overflow?: 'refuse' | 'truncate' | 'split'
  reply_to?: string
  /** Two messages with one key on one account are one message. */
  key?: string
  /** Ordered messages to one recipient are sent one after the other. */
  ordered?: boolean
  /** Counts from the accept. */
  deadline_ms?: number
  /** Unix time. */
  not_before_ms?: number
  /** Parameters of the service's own, under its own spelling. */
  extra?: Record<string, unknown>
}

/** The accounts by their names, and what else there is. */
export interface Config {
  v?: 1
  accounts: Record<string, Account>
  timeout_ms?: number
  idle_ms?: number
  max_in_flight?: number
  max_connections_per_host?: number
  retry?: {
    max_attempts?: number
    initial_ms?: number
    max_ms?: number
    on_maybe_sent?: 'stop' | 'resend'
  }
  proxy?: string | null
  ca_file?: string | null
  user_agent?: string
  trace?: boolean
  /** A file that any number of processes may have open, or a PostgreSQL database (a URL, and its schema). */
  outbox?: ({ path: string } | { postgres: string; schema?: string }) & {
    /** Results come out of clients of the same owner. */
    owner?: string
    /** false: others send what this client submits. */
    sends?: boolean
    lease_ms?: number
    max_messages?: number
    max_bytes?: number
    key_days?: number
  } | null
}

export interface SendOptions {
  /** How long the send may take, retries included; 0 makes no request. */
  timeout_ms?: number
  /** Its abort cancels the send; the promise settles as soon as the truth is known. */
  signal?: AbortSignal
}

export interface SubmitOptions {
  timeout_ms?: number
  /** false: an outbox does not keep the message. */
  durable?: boolean
  /** Comes back in the result. */
  token?: number
}

/** Many accounts over one runtime. One that is collected without `close` is closed at once. */
export class Client {
  /** A configuration, or its JSON. It opens no connection yet. */
  constructor(config: Config | string)
  /**
   * Sends a message, given as an object or as JSON. The promise is fulfilled if it was sent, else rejected with a
   * `HongyanError`, which says what became of it. An outbox never keeps it; see `queue`.
   */
  send(message: Message | string, options?: SendOptions): Promise<Result>
  /** The client's own queue, which also has the results of what an earlier process left in the outbox. */
  queue(): Queue
  /** A queue apart, for a part of a program that shares the client. */
  newQueue(): Queue
  /** Adds an account, or replaces the one of that name. */
  setAccount(name: string, account: Account): void
  removeAccount(name: string): void
  /** Asks the service whether the credentials of an account work, where it can be asked without sending. */
  checkAccount(name: string, timeout_ms?: number): Promise<void>
  /** Waits until nothing is queued or in flight; tells how many sends still are. */
  flush(timeout_ms?: number): Promise<number>
  /** The request that a message would become, its secrets masked; nothing is sent. */
  preview(message: Message | string): Record<string, unknown>
  /** Counters of the client and of each account. */
  stats(): Record<string, unknown>
  /**
   * Accepts nothing more, waits for what is under way, by default 10 s, cancels the rest, and tells how many those
   * were. Below 0 it waits without end. Every message that was accepted has its result then.
   */
  close(timeout_ms?: number): Promise<number>
  [Symbol.asyncDispose](): Promise<void>
}

/** Takes the results of the messages that were submitted to it. */
export class Queue implements AsyncIterable<Result> {
  private constructor()
  /**
   * Accepts a message; exactly one result comes out of the queue, whatever happens. Where the client has an outbox
   * the message is durable once the promise is fulfilled. One that is rejected accepted nothing.
   */
  submit(message: Message | string, options?: SubmitOptions): Promise<Op>
  /** The next result; undefined once the client is closed and every result was taken. */
  next(): Promise<Result | undefined>
  [Symbol.asyncIterator](): AsyncGenerator<Result, void, undefined>
  /** Says that a result need never be handed out again. Without an outbox there is nothing to do. */
  ack(result: Result): void
  /** Ends the queue, not its sends. */
  close(): void
}

/** A message that was submitted. */
export class Op {
  private constructor()
  /** The library's own, which the result has too. */
  readonly id: string
  /** Asks for the end of the send; its result says what became true. */
  cancel(): void
}

/** How much a line of the log matters; a level includes those before it. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** Takes a line: its target, such as `hongyan::retry`, and its text, which has no secret and no message. */
export type LogFunction = (level: LogLevel, target: string, text: string) => void

/**
 * Has a function called for each line of the log up to a level, of all clients of the process; `'off'`: for none any
 * more, once the promise is fulfilled. It is called by the event loop, and the thread that wrote the line waits for it.
 */
export function setLog(level: LogLevel, callback: LogFunction): Promise<void>
export function setLog(level: 'off'): Promise<void>

/** What this build can send. */
export function services(): { v: number; services: Record<string, unknown>[] }

/** The version of the library. */
export const version: string
