# `progressbar(action, total) { … }`, shown by wcc. Set WCC_URL and WCC_TOKEN (scope `publish`).
require 'json'
require 'net/http'

def progressbar(action, total, subject: { kind: 'job', name: action })
  call = lambda do |verb, path, body|
    headers = { 'authorization' => "Bearer #{ENV.fetch('WCC_TOKEN')}", 'content-type' => 'application/json' }
    answer = Net::HTTP.const_get(verb).new("/api/operations#{path}", headers).then do |request|
      uri = URI(ENV.fetch('WCC_URL'))
      Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https') { |http| http.request(request, body.to_json) }
    end
    answer.is_a?(Net::HTTPSuccess) ? JSON.parse(answer.body)['operation'] : raise("#{answer.code} #{answer.body}")
  end
  id = call.('Post', '', { action: action, subject: subject, total: total })['id']
  yield ->(done) { call.('Patch', "/#{id}/progress", { done: done })['state'] == 'cancelling' and raise 'cancelled' }
  call.('Post', "/#{id}/end", { state: 'succeeded' })
rescue StandardError => e
  call.('Post', "/#{id}/end", e.message == 'cancelled' ? { state: 'cancelled' } : { state: 'failed', error: { code: 'failed', message: e.message } }) if id
  raise
end
