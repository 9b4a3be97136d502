/** How a guest's processors are spread over sockets, cores and threads. */
import { refused, type Wishes } from './wishes.js';

export interface Topology {
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}

const PARTS = ['sockets', 'cores', 'threads'] as const;
const NO_LIMIT = 65_536;

const each = (of: (part: (typeof PARTS)[number]) => number): Topology => ({
  sockets: of('sockets'),
  cores: of('cores'),
  threads: of('threads'),
});

/**
 * The possible spread that meets most of what is preferred: the image's preference if it has one, else the flavor's, both
 * within the limits of either. Among equals fewer threads, then more sockets. Throws where the limits allow none.
 */
export function topologyOf(wishes: Wishes, vcpus: number): Topology {
  const limits = each(
    (part) => wishes.imageNumber(`hw_cpu_max_${part}`) || wishes.flavorNumber(`hw:cpu_max_${part}`) || NO_LIMIT,
  );
  const ofImage = each((part) => wishes.imageNumber(`hw_cpu_${part}`) ?? 0);
  const ofFlavor = each((part) => wishes.flavorNumber(`hw:cpu_${part}`) ?? 0);
  const fits = PARTS.every((part) => ofFlavor[part] <= limits[part]);
  const wanted = PARTS.some((part) => ofImage[part] > 0) ? ofImage : fits ? ofFlavor : each(() => 0);
  const [best] = possible(vcpus, limits)
    .map((topology) => ({ topology, met: met(topology, wanted) }))
    .sort((a, b) => b.met - a.met);
  if (!best)
    throw refused(
      `${vcpus} processors do not fit ${PARTS.map((part) => `${limits[part]} ${part}`).join(', ')} at most`,
    );
  return best.topology;
}

const met = (topology: Topology, wanted: Topology): number =>
  PARTS.filter((part) => wanted[part] > 0 && wanted[part] === topology[part]).length;

/** Best first. */
function possible(vcpus: number, limits: Topology): Topology[] {
  const divisors = Array.from({ length: vcpus }, (_, n) => n + 1).filter((n) => vcpus % n === 0);
  return divisors
    .flatMap((threads) =>
      divisors
        .filter((cores) => vcpus % (threads * cores) === 0)
        .map((cores) => ({ sockets: vcpus / (threads * cores), cores, threads })),
    )
    .filter((topology) => PARTS.every((part) => topology[part] <= limits[part]))
    .sort((a, b) => a.threads - b.threads || b.sockets - a.sockets);
}
