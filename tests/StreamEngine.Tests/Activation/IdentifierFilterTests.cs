using System.Text;
using StreamEngine.Activation.Records;
using StreamEngine.Activation.Webhook;
using StreamEngine.Connectors;
using Xunit;

namespace StreamEngine.Tests.Activation;

/// <summary>Identifiers in the forms that platforms match by, held against the examples in their documentation.</summary>
public sealed class IdentifierFilterTests
{
    [Theory]
    // developers.facebook.com, Conversions API, customer information parameters
    [InlineData(" John_Smith@gmail.com ", "normalize_email", "john_smith@gmail.com")]
    [InlineData("John_Smith@gmail.com", "normalize_email | sha256", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f")]
    [InlineData("(650)555-1212", "phone_digits: 'US'", "16505551212")]
    [InlineData("(650)555-1212", "phone_digits: 'US' | sha256", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176")]
    // developers.google.com, Data Manager API, format user data
    [InlineData("cloudy.sanfrancisco+shopping@gmail.com", "google_email", "cloudysanfrancisco@gmail.com")]
    [InlineData(" Cloudy.San Francisco@GoogleMail.com", "google_email", "cloudysanfrancisco@googlemail.com")]
    [InlineData("user.name+NYC@Example.com", "google_email", "user.name+nyc@example.com")]
    [InlineData("(800)555-0100", "e164: 'US'", "+18005550100")]
    [InlineData("0171 / 123 45 67", "e164: 'de'", "+491711234567")]
    [InlineData("+49 171 1234567", "e164", "+491711234567")]
    // What is none of it becomes nothing, and nothing has no hash.
    [InlineData("0171 1234567", "e164", "")]
    [InlineData("12", "e164: 'US' | sha256", "")]
    [InlineData("not an address", "normalize_email | sha256", "")]
    [InlineData("a@", "google_email | sha256", "")]
    [InlineData("+@gmail.com", "google_email | sha256", "")]
    [InlineData("", "sha256", "")]
    public void A_filter_gives_what_the_platform_asks(string value, string filters, string expected)
    {
        var template = BodyTemplate.ParseValue($"customer_id | {filters}", RecordKind.Audience, out var fault);
        Assert.True(template is not null, fault);
        Assert.Equal(expected, template.Render(Record($$"""{"customer_id":"{{value}}"}""")));
        Assert.Equal("", BodyTemplate.ParseValue($"absent | {filters}", RecordKind.Audience, out _)!.Render(Record("{}")));
    }

    private static ActivationRecord Record(string json)
    {
        var at = new TopicPartition("audiences", 0);
        return new ActivationRecord(at, 0, (at, 0), 0, [], Encoding.UTF8.GetBytes(json));
    }
}
