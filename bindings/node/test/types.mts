// The types as an ES module sees them: tsc reads this, and nothing runs it.
import { Client, HongyanError, services, setLog, version } from 'hongyan'
import type { Account, Config, Delivery, Message, Result, TelegramAccount } from 'hongyan'

const telegram: TelegramAccount = { service: 'telegram', auth: { type: 'bot', token: '1:a' }, rate: null }
const accounts: Record<string, Account> = {
  telegram,
  fanfou: { service: 'fanfou', auth: { type: 'basic', username: 'a', password: 'b' }, format: 'xml', to: { user: 'c' } }
}
const config: Config = { accounts, outbox: { path: 'outbox.db' } }

export async function use(signal: AbortSignal): Promise<Delivery> {
  await setLog('debug', (level, target, text) => console.log(level.toUpperCase(), target, text))
  await setLog('off')
  await using client = new Client(config)
  const message: Message = { account: 'ops', to: { chat: '4711' }, text: 'hello' }
  try {
    const result: Result = await client.send(message, { timeout_ms: 1000, signal })
    const id: string | null = result.message_id
    console.log(id, result.recipients?.[0]?.to.users, `${result}`, services().services.length, version)
  } catch (error) {
    if (!(error instanceof HongyanError)) throw error
    if (error.name === 'rate_limited' && error.retryable) console.log(error.retry_after_ms, error.hint)
    return error.delivery
  }
  const queue = client.queue()
  const op = await queue.submit(message, { token: 7, durable: false })
  op.cancel()
  for await (const result of queue) queue.ack(result)
  return (await queue.next())?.delivery ?? 'not_sent'
}

// What must not compile.
// @ts-expect-error: no such service
export const a: Account = { service: 'telegraf', auth: { type: 'bot', token: '1:a' } }
// @ts-expect-error: Telegram has no passwords
export const b: Account = { service: 'telegram', auth: { type: 'basic', username: 'a', password: 'b' } }
// @ts-expect-error: the token lacks
export const c: TelegramAccount = { service: 'telegram', auth: { type: 'bot' } }
// @ts-expect-error: nobody knows this member
export const d: Message = { account: 'ops', text: 'hello', colour: 'red' }
// @ts-expect-error: it has no name of this kind
export const e = (error: HongyanError) => error.name === 'rate_limit'
