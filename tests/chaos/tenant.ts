/** A tenant that does not give up: a request that meets a killed service is repeated, as client libraries do. */
import { delay } from '#libs/kernel';
import type { Answer, Session } from '../runner/cloud-client.js';

export interface Tenant {
  call<T>(method: string, type: string, path: string, body?: unknown): Promise<Answer<T>>;
  readonly projectId: string;
  /** Answers that no outage excuses: a good token refused, a fault of the service's own. */
  readonly inexcusable: readonly string[];
  /** How often which status was met and the request repeated. */
  readonly repeated: ReadonlyMap<number, number>;
}

const TRANSIENT = new Set([429, 502, 503, 504]);
const INEXCUSABLE = new Set([401, 500]);
/** No answer, not even a refusal, for so long is a request that hangs. */
const ANSWER_WITHIN_MS = 45_000;

export async function tenant(signIn: () => Promise<Session>, limitMs: number): Promise<Tenant> {
  let session: Session = await patiently(signIn, limitMs);
  const inexcusable: string[] = [];
  const repeated = new Map<number, number>();
  return {
    projectId: session.projectId,
    inexcusable,
    repeated,
    async call<T>(method: string, type: string, path: string, body?: unknown): Promise<Answer<T>> {
      const end = Date.now() + limitMs;
      const what = `${method} ${type} ${path}`;
      for (;;) {
        let status = 0;
        try {
          const url = `${session.endpoint(type)}${path}`;
          const answer = await inTime(session.call<T>(method, url, body, VERSION), () =>
            inexcusable.push(`${what}: hung`),
          );
          status = answer.status;
          const wrong = INEXCUSABLE.has(status);
          if (wrong) inexcusable.push(`${what}: ${status} ${JSON.stringify(answer.body).slice(0, 200)}`);
          if ((!TRANSIENT.has(status) && !wrong) || Date.now() > end) return answer;
          if (status === 401) session = await signIn();
        } catch (error) {
          if (Date.now() > end) throw error;
        }
        repeated.set(status, (repeated.get(status) ?? 0) + 1);
        await delay(300);
      }
    },
  };
}

const VERSION = { 'OpenStack-API-Version': 'compute 2.37' };

async function inTime<T>(answer: Promise<T>, hung: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      hung();
      reject(new Error('no answer'));
    }, ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function patiently<T>(body: () => Promise<T>, limitMs: number): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    try {
      return await body();
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(500);
    }
  }
}
