/**
 * The usage limits of a Claude subscription, as `rate_limit_event` lines report them (2.1.330, recorded against a service
 * that answers with the headers `anthropic-ratelimit-unified-*`). They come in runs that succeed as well.
 */
import { asNumber, asObject, asText, type JsonObject } from './ndjson.js';

export class UsageLimits {
  /** Name of a window, such as `five_hour` → when it resets. Only windows that are used up. */
  readonly #full = new Map<string, number | undefined>();

  /** Returns whether the service refuses requests now. */
  take(info: JsonObject): boolean {
    const isRejected = info.status === 'rejected' && !isPaidFor(info);
    for (const [name, state] of Object.entries(asObject(info.unifiedWindows) ?? {})) {
      const window = asObject(state) ?? {};
      this.#set(name, isRejected && isFull(window), asNumber(window.resetsAt));
    }
    this.#set(asText(info.rateLimitType) ?? '', isRejected, resetOf(info));
    return this.#full.size > 0;
  }

  #set(name: string, isUsedUp: boolean, resetsAt: number | undefined): void {
    if (isUsedUp) this.#full.set(name, resetsAt ?? this.#full.get(name));
    else this.#full.delete(name);
  }

  /**
   * When the last of the used-up windows resets, in seconds or milliseconds. `undefined` if this is unknown for one of
   * them.
   */
  resetsAt(): number | undefined {
    const times = [...this.#full.values()];
    const known = times.filter((time) => time !== undefined);
    return times.length === 0 || known.length < times.length ? undefined : Math.max(...known);
  }
}

/** Extra usage pays for requests beyond the limit. */
function isPaidFor({ isUsingOverage, overageStatus }: JsonObject): boolean {
  return isUsingOverage === true && overageStatus !== 'rejected';
}

/** Requests are accepted again when the window resets, or when extra usage does. */
function resetOf(info: JsonObject): number | undefined {
  const own = asNumber(info.resetsAt);
  const extra = info.isUsingOverage === true ? asNumber(info.overageResetsAt) : undefined;
  return own !== undefined && extra !== undefined ? Math.min(own, extra) : (own ?? extra);
}

function isFull({ status, utilization }: JsonObject): boolean {
  return status === undefined ? (asNumber(utilization) ?? 0) >= 1 : status === 'rejected';
}
