/** The microversions that are advertised: every operation served is wholly true at each of them. */
import { novaDialect, type VersionSpace } from '#libs/wire';

export const COMPUTE_SPACE: VersionSpace = {
  serviceType: 'compute',
  legacyHeader: 'X-OpenStack-Nova-API-Version',
  min: '2.1',
  max: '2.96',
};

export const computeDialect = novaDialect(COMPUTE_SPACE);
