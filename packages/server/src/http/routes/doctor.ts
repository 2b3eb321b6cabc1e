import type { DoctorReport } from '@wcc/api';
import { routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Doctor } from '../../doctor/create-doctor.ts';
import { assertRequestRight } from '../credentials.ts';

/** The checks of the host, for administrators. */
export function registerDoctor(app: FastifyInstance, { doctor }: { doctor: Doctor }): void {
  app.get(routes.doctor(), async (request): Promise<DoctorReport> => {
    assertRequestRight(request, 'host.check');
    return doctor.report();
  });
}
