import type { Operation } from '@wcc/api';
import { html, nothing } from 'lit';
import type { PropertyDeclarations, TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { App } from '../app/app.ts';
import { operationPageOf, pagePaths } from '../app/router.ts';
import type { RowOffers } from '../operations/live-row.ts';
import { operationItem } from '../operations/rows.ts';
import { ConsoleElement } from '../ui/console-element.ts';
import type { Emitter } from '../ui/emitter.ts';
import { PagedList } from '../ui/paged-list.ts';
import { vmsTextOf } from './text/catalogue.ts';

const maxCount = 5;

/** The latest operations on one machine. */
export class VmOperations extends ConsoleElement<App> {
  static override readonly properties: PropertyDeclarations = {
    ...ConsoleElement.properties,
    vm: { attribute: false },
  };
  declare vm: number;
  readonly #list: PagedList<Operation> = new PagedList(async () => {
    const { items } = await this.app.api.operations({ subject: `vm:${this.vm}`, limit: maxCount });
    for (const operation of items) this.signedIn.operations.offer(operation);
    return { items };
  });
  #askedFor = '';
  readonly #offers: RowOffers = {
    verbs: ['details'],
    hasLink: true,
    run: (_, id) => this.app.router.go(operationPageOf(id)),
  };

  protected override observed(): Emitter[] {
    return [...super.observed(), this.#list.changed, this.signedIn.operations.changed];
  }

  /** Reloads when an operation of this machine starts or ends. */
  protected override willUpdate(): void {
    const own = this.signedIn.operations.all.filter(
      ({ snapshot: { subject } }) => subject.kind === 'vm' && subject.id === this.vm,
    );
    const askedFor = [this.vm, ...own.map(({ snapshot }) => `${snapshot.id}${snapshot.state}`)].join();
    if (askedFor === this.#askedFor) return;
    this.#askedFor = askedFor;
    void this.#list.load();
  }

  protected override render(): TemplateResult | typeof nothing {
    const words = vmsTextOf(this.app.preferences);
    const { items, isLoaded } = this.#list;
    if (!isLoaded || items.length === 0) return nothing;
    const { router } = this.app;
    const all = `${pagePaths.operations}?subject=${encodeURIComponent(`vm:${this.vm}`)}`;
    return html`<section class="card panel" aria-label=${words.operations}>
      <h2>${words.operations}</h2>
      <ul class="rows">
        ${repeat(
          items,
          ({ id }) => id,
          (operation) => operationItem(this.app, operation, this.#offers),
        )}
      </ul>
      <p><a href=${all} @click=${router.onLink}>${words.allOperations}</a></p>
    </section>`;
  }
}
