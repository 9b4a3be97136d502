/**
 * Allocation candidates as text. An answer may name thousands of providers, so what is said of a provider is put into
 * words once for each of its states, and the answer is joined from pieces instead of being built and serialized.
 */
import { type Microversion, mv } from '#libs/wire';
import type { Amounts, Candidate, Provider } from '#services/placement/domain';

/** The whole body. `providers` are those to be summarized; `wanted` are the classes asked for. */
export function candidatesText(
  candidates: readonly Candidate[],
  providers: readonly Provider[],
  wanted: ReadonlySet<string>,
  version: Microversion,
): string {
  const requests = new RequestText(version);
  const summaries = new SummaryText(wanted, version);
  const listed = candidates.map((candidate) => requests.of(candidate)).join(',');
  const summarized = providers.map((provider) => `"${provider.id}":${summaries.of(provider)}`).join(',');
  return `{"allocation_requests":[${listed}],"provider_summaries":{${summarized}}}`;
}

class RequestText {
  private readonly resources = new Map<Amounts, string>();
  private readonly asObject: boolean;
  private readonly mapped: boolean;

  constructor(version: Microversion) {
    this.asObject = version >= mv('1.12');
    this.mapped = version >= mv('1.34');
  }

  of({ parts, mappings }: Candidate): string {
    if (!this.asObject) {
      const items = parts.map(
        ({ provider, amounts }) =>
          `{"resource_provider":{"uuid":"${provider.id}"},"resources":${this.amounts(amounts)}}`,
      );
      return `{"allocations":[${items.join(',')}]}`;
    }
    const shares = parts.map(({ provider, amounts }) => `"${provider.id}":{"resources":${this.amounts(amounts)}}`);
    const allocations = `"allocations":{${shares.join(',')}}`;
    if (!this.mapped) return `{${allocations}}`;
    const groups = mappings.map(
      ([suffix, providers]) => `"${suffix}":[${providers.map((p) => `"${p.id}"`).join(',')}]`,
    );
    return `{${allocations},"mappings":{${groups.join(',')}}}`;
  }

  private amounts(amounts: Amounts): string {
    let text = this.resources.get(amounts);
    if (text === undefined) {
      text = JSON.stringify(amounts);
      this.resources.set(amounts, text);
    }
    return text;
  }
}

/** Since 1.27 a summary depends on the provider alone. */
const whole = new WeakMap<Provider, string>();
const wholeWithTree = new WeakMap<Provider, string>();

class SummaryText {
  private readonly cache: WeakMap<Provider, string> | undefined;

  constructor(
    private readonly wanted: ReadonlySet<string>,
    private readonly version: Microversion,
  ) {
    this.cache = version >= mv('1.29') ? wholeWithTree : version >= mv('1.27') ? whole : undefined;
  }

  of(provider: Provider): string {
    let text = this.cache?.get(provider);
    if (text === undefined) {
      text = JSON.stringify(this.summary(provider));
      this.cache?.set(provider, text);
    }
    return text;
  }

  private summary(provider: Provider): Record<string, unknown> {
    const rooms = [...provider.rooms].filter(([name]) => this.cache || this.wanted.has(name));
    const resources = Object.fromEntries(rooms.map(([name, { capacity, used }]) => [name, { capacity, used }]));
    return {
      resources,
      ...(this.version >= mv('1.17') ? { traits: provider.facts.traits } : {}),
      ...(this.version >= mv('1.29')
        ? { parent_provider_uuid: provider.facts.parentId, root_provider_uuid: provider.facts.rootId }
        : {}),
    };
  }
}
