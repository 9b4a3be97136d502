/**
 * Roles, implications and the catalog: small, read by every token, changed rarely. Held in memory at a version of the
 * ledger; whoever reads the ledger's version together with other rows gets a directory that is at least as new.
 */
import type { Db } from '#libs/platform/db';
import {
  catalogFor,
  type Endpoint,
  type Implication,
  isTemplate,
  type Role,
  RoleGraph,
  type Service,
} from '#services/identity/domain';
import { DIRECTORY } from './changes.js';
import { ENDPOINT_COLUMNS, type EndpointRow, endpointOf } from './endpoint.repo.js';
import { ROLE_COLUMNS, type RoleRow, roleOf } from './role.repo.js';
import { SERVICE_COLUMNS, type ServiceRow, serviceOf } from './service.repo.js';

export class DirectoryState {
  readonly #plain: string | undefined;

  constructor(
    readonly version: number,
    readonly graph: RoleGraph,
    private readonly services: readonly Service[],
    private readonly endpoints: readonly Endpoint[],
  ) {
    const templated = endpoints.some((endpoint) => isTemplate(endpoint.url));
    this.#plain = templated ? undefined : JSON.stringify(catalogFor(services, endpoints, undefined));
  }

  /** The catalog of a scope as JSON text. */
  catalogJson(projectId: string | undefined): string {
    return this.#plain ?? JSON.stringify(catalogFor(this.services, this.endpoints, projectId));
  }
}

export class Directory {
  #state = new DirectoryState(0, new RoleGraph([], []), [], []);
  #loading: Promise<DirectoryState> | undefined;

  constructor(private readonly db: Db) {}

  async start(): Promise<void> {
    await this.#load();
    await this.db.listen(DIRECTORY, () => void this.#load().catch(() => undefined));
  }

  /** What is known here: at most a notification behind. */
  get latest(): DirectoryState {
    return this.#state;
  }

  /** A state that is not older than the version. */
  async atLeast(version: number): Promise<DirectoryState> {
    while (this.#state.version < version) await this.#load();
    return this.#state;
  }

  /** As the database has it now. */
  async current(): Promise<DirectoryState> {
    const row = await this.db.one<{ version: number }>('select directory_version as version from ledger');
    return this.atLeast(row?.version ?? 0);
  }

  #load(): Promise<DirectoryState> {
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** The version is read first: what is read after it can only be newer than it says. */
  async #read(): Promise<DirectoryState> {
    const ledger = await this.db.one<{ version: number }>('select directory_version as version from ledger');
    const [roles, implied, services, endpoints] = await Promise.all([
      this.db.query<RoleRow>(`select ${ROLE_COLUMNS} from roles`),
      this.db.query<{ prior_id: string; implied_id: string }>('select prior_id, implied_id from implied_roles'),
      this.db.query<ServiceRow>(`select ${SERVICE_COLUMNS} from services order by type, created_at, id`),
      this.db.query<EndpointRow>(`select ${ENDPOINT_COLUMNS} from endpoints order by created_at, interface desc, id`),
    ]);
    const graph = new RoleGraph(
      roles.map(roleOf) satisfies Role[],
      implied.map((row): Implication => ({ priorId: row.prior_id, impliedId: row.implied_id })),
    );
    const version = ledger?.version ?? 0;
    if (version >= this.#state.version)
      this.#state = new DirectoryState(version, graph, services.map(serviceOf), endpoints.map(endpointOf));
    return this.#state;
  }
}
