export interface Keypair {
  readonly userId: string;
  readonly name: string;
  readonly number: number;
  readonly type: 'ssh' | 'x509';
  readonly publicKey: string;
  readonly fingerprint: string;
  readonly createdAt: Date;
}
