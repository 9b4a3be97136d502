/** A tenant that does not give up: a request that meets a killed service is repeated, as client libraries do. */
import { delay } from '#libs/kernel';
import { type Answer, loginTo, type Session } from '../runner/cloud-client.js';

export interface Tenant {
  call<T>(method: string, type: string, path: string, body?: unknown): Promise<Answer<T>>;
  readonly projectId: string;
}

const TRANSIENT = new Set([401, 429, 500, 502, 503, 504]);

/** 401 is repeated too: the token may be older than a restored identity, and a fresh one is fetched. */
export async function tenant(state: string, cloud: string, limitMs: number): Promise<Tenant> {
  let session: Session = await patiently(() => loginTo(state, cloud), limitMs);
  return {
    projectId: session.projectId,
    async call<T>(method: string, type: string, path: string, body?: unknown): Promise<Answer<T>> {
      const end = Date.now() + limitMs;
      for (;;) {
        try {
          const answer = await session.call<T>(method, `${session.endpoint(type)}${path}`, body, {
            'OpenStack-API-Version': 'compute 2.37',
          });
          if (!TRANSIENT.has(answer.status) || Date.now() > end) return answer;
          if (answer.status === 401) session = await loginTo(state, cloud);
        } catch (error) {
          if (Date.now() > end) throw error;
        }
        await delay(300);
      }
    },
  };
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
