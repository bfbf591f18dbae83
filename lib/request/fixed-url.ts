/**
 * An immutable URL, so that requests may share it: its setters throw, and its `searchParams` are a copy. To change it, copy it
 * first: `new URL(fixed)`.
 *
 * @internal
 */
export class FixedUrl extends URL {
  constructor(url: string) {
    super(url);
    Object.freeze(this);
  }
}

function rejectChange(): never {
  throw new TypeError('This URL is shared; change a copy of it: new URL(url)');
}

for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(URL.prototype))) {
  if (member.set) Object.defineProperty(FixedUrl.prototype, name, { ...member, set: rejectChange });
}

Object.defineProperty(FixedUrl.prototype, 'searchParams', {
  get(this: URL) {
    return new URLSearchParams(this.search);
  },
});
