/** Who asks, as a verified token says. Roles are names, with implied roles already expanded by identity. */
export interface Credentials {
  readonly userId: string;
  readonly userName: string;
  readonly userDomainId: string;
  readonly projectId: string | undefined;
  readonly projectName: string | undefined;
  readonly projectDomainId: string | undefined;
  readonly domainId: string | undefined;
  readonly systemScope: boolean;
  readonly roles: ReadonlySet<string>;
}

/** What is asked for. Absent fields match nobody. */
export interface Target {
  readonly projectId?: string | null | undefined;
  readonly domainId?: string | null | undefined;
  readonly userId?: string | null | undefined;
}
