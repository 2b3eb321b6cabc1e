# A job that reports itself: `WCC_URL=http://127.0.0.1:8400 WCC_TOKEN=… ruby count-sheep.rb 200`
require_relative 'progressbar'

total = Integer(ARGV.fetch(0, '200'))
progressbar('count_sheep', total, subject: { kind: 'flock', name: 'merino' }) do |report|
  1.upto(total) do |sheep|
    sleep 0.025
    report.(sheep)
  end
end
