import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** How often the lag of the event loop is looked at. The library's 10 ms alone cost an idle process 1 % of a core. */
const LOOP_LAG_MS = 250

/** One service's own figures, served by its /metrics. */
export class Metrics {
  readonly registry = new Registry()
  readonly requests: Histogram<'route' | 'status'>

  constructor(service: string) {
    this.registry.setDefaultLabels({ service })
    this.requests = this.histogram('llmagentos_request_seconds', 'Time to answer a request', [
      'route',
      'status',
    ])
  }

  /** The process's own figures, for the one service that speaks for the process. */
  withProcess(): void {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LOOP_LAG_MS })
  }

  counter<L extends string = never>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }

  gauge<L extends string = never>(name: string, help: string, labelNames: L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] })
  }

  histogram<L extends string = never>(name: string, help: string, labelNames: L[] = []): Histogram<L> {
    const buckets = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] })
  }
}
