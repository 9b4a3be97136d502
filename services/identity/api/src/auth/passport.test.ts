import { describe, expect, it } from 'vitest';
import { fail, isFailure } from '#libs/kernel';
import { refused } from '#services/identity/domain';
import { MethodStrategy, Methods, type Proof } from './passport.js';

const identity = (...methods: string[]) => ({ methods });

class Fixed extends MethodStrategy {
  constructor(
    override readonly name: Proof['method'],
    private readonly outcome: () => Proof,
  ) {
    super();
  }
  protected override async prove(): Promise<Proof> {
    await Promise.resolve();
    return this.outcome();
  }
}

const password = (userId: string) => new Fixed('password', () => ({ method: 'password', userId, passwordHash: 'h' }));
const token = (userId: string) =>
  new Fixed('token', () => ({ method: 'token', userId, token: 't', claims: {} }) as unknown as Proof);
const failing = (error: Error) =>
  new Fixed('password', () => {
    throw error;
  });

const kindOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'proved',
    (error: unknown) => (isFailure(error) ? error.kind : String(error)),
  );

describe('methods of authentication', () => {
  it('all must agree on one user', async () => {
    const agree = new Methods([password('u'), token('u')]);
    expect(await agree.prove(identity('password', 'token', 'token'))).toHaveLength(2);
    const differ = new Methods([password('u'), token('v')]);
    expect(await kindOf(differ.prove(identity('password', 'token')))).toBe('unauthorized');
  });

  it('that are unknown prove nothing', async () => {
    expect(await kindOf(new Methods([password('u')]).prove(identity('password', 'saml2')))).toBe('unauthorized');
  });

  it('fail in one voice, but for what is not about credentials', async () => {
    const wrong = new Methods([failing(fail.unauthorized('the password of u is wrong'))]);
    const error = await wrong.prove(identity('password')).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toBe(refused().message);
    expect(await kindOf(new Methods([failing(fail.unavailable('later'))]).prove(identity('password')))).toBe(
      'unavailable',
    );
  });

  it('run side by side on one strategy without meeting', async () => {
    let calls = 0;
    const counted = new Fixed('password', () => ({ method: 'password', userId: `u${calls++}`, passwordHash: 'h' }));
    const methods = new Methods([counted]);
    const proofs = await Promise.all([1, 2, 3].map(() => methods.prove(identity('password'))));
    expect(proofs.map(([proof]) => proof.userId)).toEqual(['u0', 'u1', 'u2']);
  });
});
