/** The part of a `Response` that the client reads. */
export interface ApiResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}

/** The part of a `RequestInit` that the client sets. */
export interface ApiRequestInit {
  method: string;
  headers: Record<string, string>;
  signal: AbortSignal;
  body?: string;
}

export type ApiFetch = (url: string, init: ApiRequestInit) => Promise<ApiResponse>;
